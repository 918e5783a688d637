#pragma once

#include <cstdint>

#include "learner/replay/random.h"

namespace londi::learner {

struct RelabelOptions {
  bool enabled = true;
  double keep = 0.2;  // Share of samples that keep the cost and budget they were acted under, 0..1.
  double zero_cost = 0.1;  // Share with c = 0 among the others, 0..1.
  double min_cost = 1e-3;  // c is log-uniform in [min_cost, max_cost], > 0.
  double max_cost = 0.3;
  std::int32_t max_budget = 16;  // z is uniform up to so many (typical) calls, >= 0; more counts as
                                 // unlimited only where z >= steps left.
  double unlimited = 0.25;       // Share with an unlimited budget, 0..1.
  std::int32_t ticks_per_call = 1;  // Of the run's budgets (core::BudgetMeter), >= 1.
  std::int32_t least_per_call = 1;  // With less left none is made; of the same, >= 1.
  void Validate() const;            // Throws core::ConfigError.
};

// Under which cost and remaining budget a row is learned from.
struct Context {
  float cost = 0;
  // z before the decision, ticks; core::BudgetGovernor::kUnlimited = none.
  std::int32_t remaining = -1;
};

// The budget is bookkeeping and the cost is known: a row (s, z, g, r, s', z - p g) of price p is a
// true transition for every z >= p g and every c. So one row teaches all of them, exactly
// (algorithms.md 2.4.6).
//   recorded      what the row was acted under
//   needed        ticks at which its activation was made at least, or those of the whole window if
//                 that is followed blindly (Horizon::needed)
//   steps_left    of the row; z >= steps_left typical calls is encoded as unlimited, and so never
//                 drawn as a number
Context Relabel(const RelabelOptions& options,
                Context recorded,
                std::int32_t needed,
                std::int32_t steps_left,
                Random& random);

// z after `price` more; nothing is left where that was more than z.
std::int32_t Spend(std::int32_t remaining, std::int32_t price);

// Whether so many ticks are left.
bool Affords(std::int32_t remaining, std::int32_t ticks);

// May g = 1 be chosen? Every mask of the learner is this one, with the governor's `least_per_call`.
bool MayActivate(std::int32_t remaining, std::int32_t least_per_call = 1);

}  // namespace londi::learner
