#pragma once

#include <cstdint>

#include "actors/episode.h"
#include "actors/random.h"
#include "core/budget_meter.h"

namespace londi::actors {

// Which costs and budgets training episodes are run under.
struct TermsOptions {
  double zero_cost = 0.1;  // Share of episodes with c = 0, 0..1.
  double min_cost = 1e-3;  // The others: c is log-uniform in [min_cost, max_cost], > 0.
  double max_cost = 0.3;
  std::int32_t max_budget = 16;  // B is uniform in 0..max_budget (typical) calls, >= 0,
  double unlimited = 0.25;       // or unlimited in this share of episodes, 0..1.

  core::BudgetUnit budget_unit = core::BudgetUnit::kCalls;
  double call_price = 0;  // Of a typical call, in the unit, > 0; with calls 0: each is one.
  double worst_call = 0;  // Milliseconds that no call exceeds, >= call_price; 0 in other units.

  core::BudgetMeter meter() const {
    return {budget_unit, budget_unit == core::BudgetUnit::kCalls ? 1 : call_price, worst_call};
  }
  void Validate() const;  // Throws core::ConfigError.
};

EpisodeTerms DrawTerms(const TermsOptions& options, Random& random);

}  // namespace londi::actors
