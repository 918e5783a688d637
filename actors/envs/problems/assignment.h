#pragma once

#include <memory>

#include "actors/envs/problems/problem.h"

namespace londi::actors::problems {

inline constexpr int kAssignmentSteps = 10;
inline constexpr int kGainLevels = 200;  // Gains are (k + 1/2) / 200, k = 0..199, equally likely.

// VP5: every step offers a gain, uniform in (0, 1) and seen before deciding ("Gain 275 of 400").
// DEEPTHINK takes it, QUICK lets it pass; the budget says how often it can be taken. Sources: Moser
// 1956; Derman, Lieberman and Ross 1972, "A sequential stochastic assignment problem".
std::shared_ptr<const Problem> MakeAssignmentProblem();

}  // namespace londi::actors::problems
