#pragma once

#include <array>
#include <memory>

#include "actors/envs/problems/problem.h"

namespace londi::actors::problems {

// Thousandths: how likely QUICK is right; drawn per episode, equally likely.
inline constexpr std::array<int, 3> kGateOdds = {500, 700, 900};

// VP7: one step; the last action is right and worth 1. QUICK samples it with the odds that are seen
// ("Odds 700 of 1000"): it is right where the die ("Die 431 of 1000", uniform in 0..999) shows less
// than the odds. The die is QUICK's own randomness, given with the prompt so that a deterministic
// LM can sample; the Switcher learns of it by QUICK's proposal only.
std::shared_ptr<const Problem> MakeProposalGateProblem();

}  // namespace londi::actors::problems
