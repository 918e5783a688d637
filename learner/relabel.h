#pragma once

#include <cstdint>

#include "learner/random.h"

namespace londi::learner {

struct RelabelOptions {
  bool enabled = true;
  double keep = 0.2;  // Share of samples that keep the cost and budget they were acted under, 0..1.
  double zero_cost = 0.1;  // Share with c = 0 among the others, 0..1.
  double min_cost = 1e-3;  // c is log-uniform in [min_cost, max_cost], > 0.
  double max_cost = 0.3;
  std::int32_t max_budget =
      16;  // z is uniform up to here, >= 0; more counts as unlimited only where z >= steps left.
  double unlimited = 0.25;  // Share with an unlimited budget, 0..1.
  void Validate() const;    // Throws core::ConfigError.
};

// Under which cost and remaining budget a row is learned from.
struct Context {
  float cost = 0;
  std::int32_t remaining = -1;  // z before the decision; core::BudgetGovernor::kUnlimited = none.
};

// The budget is bookkeeping and the cost is known: a row (s, z, g, r, s', z - g) is a true
// transition for every z >= g and every c. So one row teaches all of them, exactly
// (algorithms.md 2.4.6).
//   recorded      what the row was acted under
//   spends        activations the row's budget must afford: g of the row, or of the whole window if
//   it is followed blindly steps_left    of the row; z >= steps_left is the same as unlimited, and
//   so never drawn as a number
Context Relabel(const RelabelOptions& options,
                Context recorded,
                std::int32_t spends,
                std::int32_t steps_left,
                Random& random);

// z after `activations` more.
std::int32_t Spend(std::int32_t remaining, std::int32_t activations);

// May g = 1 be chosen? Every mask of the learner is this one.
bool MayActivate(std::int32_t remaining);

}  // namespace londi::learner
