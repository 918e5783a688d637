#include "learner/replay/relabel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/budget.h"
#include "core/error.h"

namespace londi::learner {
namespace {

constexpr std::int64_t kMostTicks = std::numeric_limits<std::int32_t>::max() - 1;

void RequireShare(const char* key, double value) {
  if (value >= 0 && value <= 1) return;
  throw core::ConfigError(
      {.what = std::string("learner.relabel.") + key + " is " + std::to_string(value),
       .why = "it is a share of the samples",
       .fix = "set it between 0 and 1"});
}

}  // namespace

void RelabelOptions::Validate() const {
  RequireShare("keep", keep);
  RequireShare("zero_cost", zero_cost);
  RequireShare("unlimited", unlimited);
  if (!(min_cost > 0 && min_cost <= max_cost && max_cost <= 100)) {
    throw core::ConfigError({.what = "learner.relabel costs are " + std::to_string(min_cost) +
                                     " to " + std::to_string(max_cost),
                             .why = "costs are drawn log-uniformly between the two",
                             .fix = "set 0 < min_cost <= max_cost <= 100"});
  }
  if (max_budget < 0) {
    throw core::ConfigError({.what = "learner.relabel.max_budget is " + std::to_string(max_budget),
                             .why = "it is what a budget buys at most, in calls",
                             .fix = "set it to 0 or more"});
  }
}

Context Relabel(const RelabelOptions& options,
                Context recorded,
                std::int32_t needed,
                std::int32_t steps_left,
                Random& random) {
  if (!options.enabled || random.Uniform() < options.keep) return recorded;
  Context drawn;
  if (random.Uniform() >= options.zero_cost) {
    const double low = std::log(options.min_cost);
    drawn.cost =
        static_cast<float>(std::exp(low + random.Uniform() * (std::log(options.max_cost) - low)));
  }
  const std::int64_t most_calls = std::min(options.max_budget, steps_left - 1);
  const auto most = static_cast<std::int32_t>(
      std::min<std::int64_t>(most_calls * options.ticks_per_call, kMostTicks));
  const bool unlimited = random.Uniform() < options.unlimited || most < needed;
  drawn.remaining = unlimited ? core::BudgetGovernor::kUnlimited : random.Integer(needed, most);
  return drawn;
}

std::int32_t Spend(std::int32_t remaining, std::int32_t price) {
  if (remaining == core::BudgetGovernor::kUnlimited) return remaining;
  return std::max(remaining - price, 0);
}

bool Affords(std::int32_t remaining, std::int32_t ticks) {
  return remaining == core::BudgetGovernor::kUnlimited || remaining >= ticks;
}

bool MayActivate(std::int32_t remaining, std::int32_t least_per_call) {
  return Affords(remaining, least_per_call);
}

}  // namespace londi::learner
