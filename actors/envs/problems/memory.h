#pragma once

#include <memory>

#include "actors/envs/problems/problem.h"

namespace londi::actors::problems {

inline constexpr int kMemorySteps = 6;

// VP8: a light, on or off with equal odds, is seen in the first place only ("Light 1 of 1"). It
// decides whether QUICK survives the last one (it does where the light was off), which looks the
// same either way. Worth 1 behind the last place.
std::shared_ptr<const Problem> MakeMemoryProblem();

}  // namespace londi::actors::problems
