#include "core/switcher_network.h"

#include <cmath>
#include <cstddef>

namespace londi::core::switcher_network {
namespace {

// A NaN is never better than another value.
int BestPlan(const Values& values, float cost, float tolerance) {
  int best = 0;
  for (int plan = 1; plan < kNumPlans; ++plan) {
    if (values.PlanValue(plan, cost) > values.PlanValue(best, cost)) best = plan;
  }
  const float enough = values.PlanValue(best, cost) - tolerance;
  const auto calls = [&](int plan) { return values.plan_calls[static_cast<std::size_t>(plan)]; };
  for (int plan = 0; plan < kNumPlans; ++plan) {
    if (values.PlanValue(plan, cost) >= enough && calls(plan) < calls(best)) best = plan;
  }
  return best;
}

}  // namespace

GreedyChoice ChooseGreedily(const Values& values, float cost, bool may_activate, PlanRule rule) {
  const float advantage = values.Advantage(cost);
  const bool critics_activate = may_activate && advantage > 0;
  if (rule.margin < 0) return {.activate = critics_activate};

  const int best = BestPlan(values, cost, rule.tolerance);
  const bool plan_activates = may_activate && values.PlanActivates(best);
  if (critics_activate != plan_activates && std::abs(advantage) > rule.margin)
    return {.activate = critics_activate};
  const float critics_value = values.Return(plan_activates) - cost * values.Calls(plan_activates);
  const bool plan_is_better = values.PlanValue(best, cost) > critics_value;
  return {.activate = plan_activates, .plan = plan_is_better ? best : GreedyChoice::kCritics};
}

}  // namespace londi::core::switcher_network
