#include "actors/training_terms.h"

#include <cmath>
#include <string>

#include "core/error.h"

namespace londi::actors {

void TermsOptions::Validate() const {
  core::RequireConfig(zero_cost >= 0 && zero_cost <= 1 && unlimited >= 0 && unlimited <= 1,
                      "actor.terms.zero_cost or actor.terms.unlimited is outside 0..1",
                      "they are shares of episodes",
                      "set both between 0 and 1");
  core::RequireConfig(
      min_cost > 0 && min_cost <= max_cost,
      "training costs range from " + std::to_string(min_cost) + " to " + std::to_string(max_cost),
      "costs are drawn log-uniformly between the two",
      "set 0 < actor.terms.min_cost <= actor.terms.max_cost");
  core::RequireConfig(max_budget >= 0,
                      "actor.terms.max_budget is " + std::to_string(max_budget),
                      "it is what a budget buys at most, in calls",
                      "set it to 0 or more");
  const bool counts_calls = budget_unit == core::BudgetUnit::kCalls;
  core::RequireConfig(
      counts_calls ? call_price == 0 : call_price > 0 && call_price <= 1e9,
      "actor.terms.call_price is " + std::to_string(call_price) + " with budgets that count " +
          core::UnitName(budget_unit),
      counts_calls ? "each call is one; the price of a typical call is asked for with other units"
                   : "budgets are scaled by what a typical call costs",
      counts_calls ? "set it to 0"
                   : "set it above 0, to 1e9 at most; the table at the end of a run says how "
                     "many tokens and GFLOP an episode takes");
  const bool counts_time = budget_unit == core::BudgetUnit::kMilliseconds;
  core::RequireConfig(
      counts_time
          ? worst_call >= call_price && meter().most_per_call() < core::BudgetMeter::kMaxPrice
          : worst_call == 0,
      "actor.terms.worst_call is " + std::to_string(worst_call) + " with budgets that count " +
          core::UnitName(budget_unit),
      counts_time ? "nobody knows the time of a call beforehand: what none exceeds is reserved"
                  : "in that unit a call's worst case is known without it",
      counts_time ? "set it to actor.terms.call_price or more" : "set it to 0");
  core::RequireConfig(max_budget <= (1 << 30) / meter().ticks_per_call(),
                      "actor.terms.max_budget is " + std::to_string(max_budget),
                      "so much at that price cannot be counted",
                      "lower it, or actor.terms.worst_call");
}

EpisodeTerms DrawTerms(const TermsOptions& options, Random& random) {
  EpisodeTerms terms{.meter = options.meter()};
  if (random.Uniform() >= options.zero_cost) {
    const double exponent = random.Uniform();
    terms.cost = static_cast<float>(options.min_cost *
                                    std::pow(options.max_cost / options.min_cost, exponent));
  }
  if (random.Uniform() >= options.unlimited)
    terms.budget = static_cast<std::int32_t>(
        random.Below(options.max_budget * std::int64_t{terms.meter.ticks_per_call()} + 1));
  return terms;
}

}  // namespace londi::actors
