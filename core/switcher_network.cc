#include "core/switcher_network.h"

#include <cmath>

namespace londi::core::switcher_network {

GreedyChoice ChooseGreedily(const Values& values, float cost, bool may_activate, float margin) {
  const float advantage = values.Advantage(cost);
  const bool critics_activate = may_activate && advantage > 0;
  if (margin < 0) return {.activate = critics_activate};

  int best = 0;
  for (int plan = 1; plan < kNumPlans; ++plan) {
    if (values.PlanValue(plan, cost) > values.PlanValue(best, cost)) best = plan;
  }
  const bool plan_activates = may_activate && values.PlanActivates(best);
  if (critics_activate != plan_activates && std::abs(advantage) > margin)
    return {.activate = critics_activate};
  const float critics_value = values.Return(plan_activates) - cost * values.Calls(plan_activates);
  const bool plan_is_better = values.PlanValue(best, cost) > critics_value;
  return {.activate = plan_activates, .plan = plan_is_better ? best : GreedyChoice::kCritics};
}

}  // namespace londi::core::switcher_network
