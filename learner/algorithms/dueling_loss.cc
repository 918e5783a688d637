#include "learner/algorithms/dueling_loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/budget.h"
#include "learner/algorithms/logistic.h"

namespace londi::learner {
namespace {

float Huber(float error) {
  const float size = std::abs(error);
  return size <= 1 ? 0.5f * error * error : size - 0.5f;
}

float HuberSlope(float error) { return std::clamp(error, -1.0f, 1.0f); }

}  // namespace

void ChooseBootstraps(const Batch& batch,
                      std::span<const Values> successors,
                      std::span<Bootstrap> out) {
  const auto first_successor = static_cast<std::size_t>(batch.num_states);
  std::vector<std::uint8_t> greedy(successors.size());
  for (std::size_t i = 0; i < successors.size(); ++i) {
    const Context& context = batch.contexts[first_successor + i];
    greedy[i] = MayActivate(context.remaining, batch.least_per_call) &&
                successors[i].Activates(context.cost);
  }
  std::vector<std::uint8_t> followed(batch.horizons.size());
  for (std::size_t i = 0; i < followed.size(); ++i) {
    const std::int32_t successor = batch.horizon_successor[i];
    followed[i] =
        successor >= 0 && greedy[static_cast<std::size_t>(successor)] == batch.horizon_activated[i];
  }
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const auto first = static_cast<std::size_t>(batch.entries[e].first_horizon);
    const auto count = static_cast<std::size_t>(batch.entries[e].num_horizons);
    const std::size_t chosen = first + static_cast<std::size_t>(ChooseHorizon(
                                           std::span(batch.horizons).subspan(first, count),
                                           std::span(followed).subspan(first, count)));
    const std::int32_t successor = batch.horizon_successor[chosen];
    out[e] = {batch.horizons[chosen], successor};
    if (successor >= 0) out[e].activate = greedy[static_cast<std::size_t>(successor)] != 0;
  }
}

void WidenActionGaps(const Batch& batch,
                     std::span<const Values> values,
                     double strength,
                     std::span<Target> targets) {
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const Batch::Entry& entry = batch.entries[e];
    const auto state = static_cast<std::size_t>(entry.state);
    const Context& context = batch.contexts[state];
    if (!MayActivate(context.remaining, batch.least_per_call)) continue;
    const float advantage = values[state].Advantage(context.cost);
    const float gap = entry.activate ? -advantage : advantage;
    if (gap > 0) targets[e].return_value -= static_cast<float>(strength) * gap;
  }
}

DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const Values> values,
                        std::span<const Target> targets,
                        const LossWeights& weights,
                        std::span<Values> gradient,
                        std::span<float> errors) {
  std::fill(gradient.begin(), gradient.end(), Values{.disagreement = 0, .calls_gain = 0});
  std::fill(errors.begin(), errors.end(), 0.0f);
  const float scale = 1.0f / static_cast<float>(batch.num_states);
  const auto weight_of_calls = static_cast<float>(weights.calls);
  const auto weight_of_scalarized = static_cast<float>(weights.scalarized);
  DuelingLoss loss;
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const Batch::Entry& entry = batch.entries[e];
    const auto state = static_cast<std::size_t>(entry.state);
    const float sign = entry.activate ? 0.5f : -0.5f;
    const float return_error = values[state].Return(entry.activate) - targets[e].return_value;
    const float calls_error = values[state].Calls(entry.activate) - targets[e].calls_value;
    const float cost = batch.contexts[state].cost;
    const float scalarized_error = return_error - cost * calls_error;
    const float weight = entry.weight * scale;
    loss.loss_return += weight * Huber(return_error);
    loss.loss_calls += weight * Huber(calls_error);
    loss.loss_scalarized += weight * Huber(scalarized_error);
    const float scalarized_slope = weight_of_scalarized * weight * HuberSlope(scalarized_error);
    const float return_slope = weight * HuberSlope(return_error) + scalarized_slope;
    const float calls_slope =
        weight_of_calls * weight * HuberSlope(calls_error) - cost * scalarized_slope;
    gradient[state].return_value += return_slope;
    gradient[state].return_advantage += sign * return_slope;
    gradient[state].calls_value += calls_slope;
    gradient[state].calls_advantage += sign * calls_slope;
    const float error = std::abs(return_error) + cost * std::abs(calls_error);
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
    if (!MayActivate(context.remaining, batch.least_per_call))
      continue;  // One choice: the two terms are the same.
    const Batch::Entry& taken = batch.entries[i];
    // Of two choices that is the cross-entropy with their difference as the logit.
    const float difference = values[i].Difference(context.cost);
    const float label = taken.activate ? 1.0f : 0.0f;
    const float weight = taken.weight * scale;
    const float slope = weight * (Sigmoid(difference) - label);
    loss += weight * CrossEntropy(difference, label);
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
