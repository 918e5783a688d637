#include "learner/algorithms/dueling_loss.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/budget.h"
#include "learner/algorithms/logistic.h"

namespace londi::learner {
namespace {

float Huber(float error) {
  const float size = std::abs(error);
  return size <= 1 ? 0.5f * error * error : size - 0.5f;
}

// How many more calls a plan makes in a row than was recorded. nullopt: the other choice leads
// elsewhere.
std::optional<float> MoreCalls(bool plan_activates, bool activated, bool leads_to_the_same) {
  if (plan_activates == activated) return 0.0f;
  if (!leads_to_the_same) return std::nullopt;
  return plan_activates ? 1.0f : -1.0f;
}

float HuberSlope(float error) { return std::clamp(error, -1.0f, 1.0f); }

}  // namespace

void ChooseBootstraps(const Batch& batch,
                      std::span<const Values> successors,
                      core::switcher_network::PlanRule rule,
                      std::span<Bootstrap> out) {
  const auto first_successor = static_cast<std::size_t>(batch.num_states);
  std::vector<core::switcher_network::GreedyChoice> greedy(successors.size());
  for (std::size_t i = 0; i < successors.size(); ++i) {
    const Context& context = batch.contexts[first_successor + i];
    greedy[i] = core::switcher_network::ChooseGreedily(
        successors[i], context.cost, MayActivate(context.remaining), rule);
  }
  std::vector<std::uint8_t> followed(batch.horizons.size());
  for (std::size_t i = 0; i < followed.size(); ++i) {
    const std::int32_t successor = batch.horizon_successor[i];
    followed[i] = successor >= 0 && greedy[static_cast<std::size_t>(successor)].activate ==
                                        (batch.horizon_activated[i] != 0);
  }
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const auto first = static_cast<std::size_t>(batch.entries[e].first_horizon);
    const auto count = static_cast<std::size_t>(batch.entries[e].num_horizons);
    const std::size_t chosen = first + static_cast<std::size_t>(ChooseHorizon(
                                           std::span(batch.horizons).subspan(first, count),
                                           std::span(followed).subspan(first, count)));
    const std::int32_t successor = batch.horizon_successor[chosen];
    out[e] = {batch.horizons[chosen], successor};
    if (successor >= 0) out[e].choice = greedy[static_cast<std::size_t>(successor)];
  }
}

void MakePlanTargets(const Batch& batch,
                     std::span<const Values> states,
                     std::span<const Values> successors,
                     std::span<PlanTargets> out) {
  const auto num_states = static_cast<std::size_t>(batch.num_states);
  const auto acts_as = [](const Values& values, const Context& context, int plan) {
    return MayActivate(context.remaining) && values.PlanActivates(plan);
  };
  for (std::size_t i = 0; i < num_states; ++i) {
    const Batch::Entry& entry = batch.entries[i];  // The choice taken in row i.
    const bool unlimited = batch.contexts[i].remaining == core::BudgetGovernor::kUnlimited;
    const bool agreed = batch.disagreements[i] == Batch::Disagreement::kAgreed;
    const auto first = static_cast<std::size_t>(entry.first_horizon);
    const std::size_t end = first + static_cast<std::size_t>(entry.num_horizons);
    out[i] = {};
    for (int plan = 0; plan < kNumPlans; ++plan) {
      std::optional<float> more = MoreCalls(
          acts_as(states[i], batch.contexts[i], plan), entry.activate, unlimited && agreed);
      if (!more) continue;
      float calls_more = *more;
      std::size_t h = first;
      for (; h + 1 < end && batch.horizon_successor[h] >= 0; ++h) {
        const auto successor = static_cast<std::size_t>(batch.horizon_successor[h]);
        more =
            MoreCalls(acts_as(successors[successor], batch.contexts[num_states + successor], plan),
                      batch.horizon_activated[h] != 0,
                      unlimited && batch.horizon_agreed[h] != 0);
        if (!more) break;
        calls_more += batch.horizons[h].discount * *more;
      }
      const auto k = static_cast<std::size_t>(plan);
      const Horizon& horizon = batch.horizons[h];
      Target target{horizon.reward, horizon.calls + calls_more};
      if (batch.horizon_successor[h] >= 0) {
        const Values& rest = successors[static_cast<std::size_t>(batch.horizon_successor[h])];
        target.return_value += horizon.discount * rest.plan_return[k];
        target.calls_value += horizon.discount * rest.plan_calls[k];
      }
      out[i].known[k] = true;
      out[i].targets[k] = target;
    }
  }
}

double ComputePlanLoss(const Batch& batch,
                       std::span<const Values> values,
                       std::span<const PlanTargets> targets,
                       double calls_weight,
                       std::span<Values> gradient) {
  const float scale = 1.0f / static_cast<float>(batch.num_states);
  const auto weight_of_calls = static_cast<float>(calls_weight);
  double loss = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto num_known = std::ranges::count(targets[i].known, true);
    if (num_known == 0) continue;
    const float weight = batch.entries[i].weight * scale / static_cast<float>(num_known);
    for (std::size_t k = 0; k < targets[i].known.size(); ++k) {
      if (!targets[i].known[k]) continue;
      const float return_error = values[i].plan_return[k] - targets[i].targets[k].return_value;
      const float calls_error = values[i].plan_calls[k] - targets[i].targets[k].calls_value;
      loss += weight * (Huber(return_error) + weight_of_calls * Huber(calls_error));
      gradient[i].plan_return[k] += weight * HuberSlope(return_error);
      gradient[i].plan_calls[k] += weight * weight_of_calls * HuberSlope(calls_error);
    }
  }
  return loss;
}

DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const Values> values,
                        std::span<const Target> targets,
                        double calls_weight,
                        std::span<Values> gradient,
                        std::span<float> errors) {
  std::fill(gradient.begin(), gradient.end(), Values{.disagreement = 0, .calls_gain = 0});
  std::fill(errors.begin(), errors.end(), 0.0f);
  const float scale = 1.0f / static_cast<float>(batch.num_states);
  DuelingLoss loss;
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const Batch::Entry& entry = batch.entries[e];
    const auto state = static_cast<std::size_t>(entry.state);
    const float sign = entry.activate ? 0.5f : -0.5f;
    const float return_error = values[state].Return(entry.activate) - targets[e].return_value;
    const float calls_error = values[state].Calls(entry.activate) - targets[e].calls_value;
    const float weight = entry.weight * scale;
    loss.loss_return += weight * Huber(return_error);
    loss.loss_calls += weight * Huber(calls_error);
    const float return_slope = weight * HuberSlope(return_error);
    const float calls_slope = static_cast<float>(calls_weight) * weight * HuberSlope(calls_error);
    gradient[state].return_value += return_slope;
    gradient[state].return_advantage += sign * return_slope;
    gradient[state].calls_value += calls_slope;
    gradient[state].calls_advantage += sign * calls_slope;
    const float error = std::abs(return_error) + batch.contexts[state].cost * std::abs(calls_error);
    // Not std::max: a NaN must reach the caller, whichever entry it comes from.
    if (std::isnan(error) || error > errors[state]) errors[state] = error;
  }
  return loss;
}

double ComputeGainLoss(const Batch& batch,
                       std::span<const Values> values,
                       double calls_weight,
                       std::span<Values> gradient) {
  const auto num_branched =
      std::ranges::count_if(batch.gains, [](const auto& gain) { return gain.has_value(); });
  if (num_branched == 0) return 0;
  const float scale = 1.0f / static_cast<float>(num_branched);
  const auto weight_of_calls = static_cast<float>(calls_weight);
  double loss = 0;
  for (std::size_t i = 0; i < batch.gains.size(); ++i) {
    if (!batch.gains[i]) continue;
    const float return_error = values[i].return_gain - batch.gains[i]->task_return;
    const float calls_error = values[i].calls_gain - batch.gains[i]->calls;
    loss += scale * (Huber(return_error) + weight_of_calls * Huber(calls_error));
    gradient[i].return_gain += scale * HuberSlope(return_error);
    gradient[i].calls_gain += scale * weight_of_calls * HuberSlope(calls_error);
  }
  return loss;
}

double ComputeConservativeLoss(const Batch& batch,
                               std::span<const Values> values,
                               double strength,
                               std::span<Values> gradient) {
  const float scale = static_cast<float>(strength) / static_cast<float>(batch.num_states);
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Context& context = batch.contexts[i];
    if (!MayActivate(context.remaining)) continue;  // One choice: the two terms are the same.
    const Batch::Entry& taken = batch.entries[i];
    // Of two choices that is the cross-entropy with the advantage as the logit.
    const float advantage = values[i].Advantage(context.cost);
    const float label = taken.activate ? 1.0f : 0.0f;
    const float weight = taken.weight * scale;
    const float slope = weight * (Sigmoid(advantage) - label);
    loss += weight * CrossEntropy(advantage, label);
    gradient[i].return_advantage += slope;
    gradient[i].calls_advantage -= context.cost * slope;
  }
  return loss;
}

double ComputeDisagreementLoss(const Batch& batch,
                               std::span<const float> logits,
                               std::span<float> gradient) {
  const float scale = 1.0f / static_cast<float>(batch.num_states);
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    gradient[i] = 0;
    if (batch.disagreements[i] == Batch::Disagreement::kUnknown) continue;
    const float label = batch.disagreements[i] == Batch::Disagreement::kDisagreed ? 1.0f : 0.0f;
    const float weight = batch.entries[i].weight * scale;  // Entry i is the choice taken in row i.
    loss += weight * CrossEntropy(logits[i], label);
    gradient[i] = weight * (Sigmoid(logits[i]) - label);
  }
  return loss;
}

}  // namespace londi::learner
