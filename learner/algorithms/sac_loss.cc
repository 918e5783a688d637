#include "learner/algorithms/sac_loss.h"

#include <algorithm>
#include <cmath>

#include "learner/algorithms/logistic.h"

namespace londi::learner {
ActionValues Smaller(const ActionValues& a, const ActionValues& b) {
  return {std::min(a.quick, b.quick), std::min(a.deepthink, b.deepthink)};
}

float SoftValue(float logit, const ActionValues& values, float temperature) {
  const float p = Sigmoid(logit);
  return (1 - p) * values.quick + p * values.deepthink + temperature * EntropyOf(logit);
}

std::vector<SacStep> MakeSacSteps(const Batch& batch, float overdraft_penalty) {
  std::vector<SacStep> steps;
  steps.reserve(batch.entries.size());
  for (const Batch::Entry& entry : batch.entries) {
    const auto h = static_cast<std::size_t>(entry.first_horizon);
    const Horizon& horizon = batch.horizons[h];
    const Context& context = batch.contexts[static_cast<std::size_t>(entry.state)];
    const SacStep& step =
        steps.emplace_back(SacStep{.state = entry.state,
                                   .activate = entry.activate,
                                   .weight = entry.weight,
                                   .reward = horizon.reward - context.cost * horizon.calls,
                                   .discount = horizon.discount,
                                   .successor = batch.horizon_successor[h]});
    if (MayActivate(context.remaining, batch.least_per_call)) continue;
    SacStep denied = step;
    denied.activate = true;
    denied.reward = -overdraft_penalty;
    steps.push_back(denied);
  }
  return steps;
}

std::vector<float> MakeSacTargets(std::span<const SacStep> steps,
                                  std::span<const float> logits,
                                  std::span<const ActionValues> values,
                                  float temperature) {
  std::vector<float> targets;
  targets.reserve(steps.size());
  for (const SacStep& step : steps) {
    float target = step.reward;
    if (step.successor >= 0) {
      const auto s = static_cast<std::size_t>(step.successor);
      target += step.discount * SoftValue(logits[s], values[s], temperature);
    }
    targets.push_back(target);
  }
  return targets;
}

double ComputeCriticLoss(std::span<const SacStep> steps,
                         std::span<const ActionValues> values,
                         std::span<const float> targets,
                         std::span<ActionValues> gradient,
                         std::span<float> errors) {
  std::ranges::fill(gradient, ActionValues{});
  const float scale = 1.0f / static_cast<float>(values.size());
  double loss = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const SacStep& step = steps[i];
    const auto state = static_cast<std::size_t>(step.state);
    const float error = values[state].Of(step.activate) - targets[i];
    const float size = std::abs(error);
    loss += step.weight * scale * (size <= 1 ? 0.5f * error * error : size - 0.5f);
    const float slope = step.weight * scale * std::clamp(error, -1.0f, 1.0f);
    (step.activate ? gradient[state].deepthink : gradient[state].quick) += slope;
    if (std::isnan(size) || size > errors[state]) errors[state] = size;
  }
  return loss;
}

SacPolicyLoss ComputeSacPolicyLoss(const Batch& batch,
                                   std::span<const float> logits,
                                   std::span<const ActionValues> values,
                                   float temperature,
                                   std::span<float> gradient) {
  const float scale = 1.0f / static_cast<float>(logits.size());
  SacPolicyLoss result;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float weight = batch.entries[i].weight * scale;  // Entry i is the choice taken in row i.
    const float p = Sigmoid(logits[i]);
    const float advantage = values[i].deepthink - values[i].quick;
    result.loss -= weight * SoftValue(logits[i], values[i], temperature);
    result.entropy += weight * EntropyOf(logits[i]);
    // d/dlogit of -(p advantage + temperature entropy); that of the entropy is -p (1 - p) logit.
    gradient[i] = weight * p * (1 - p) * (temperature * logits[i] - advantage);
  }
  return result;
}

}  // namespace londi::learner
