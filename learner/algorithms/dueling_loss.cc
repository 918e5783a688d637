#include "learner/algorithms/dueling_loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace londi::learner {
namespace {

float Huber(float error) {
  const float size = std::abs(error);
  return size <= 1 ? 0.5f * error * error : size - 0.5f;
}

float HuberSlope(float error) { return std::clamp(error, -1.0f, 1.0f); }

}  // namespace

void ChooseBootstraps(const Batch& batch,
                      std::span<const HeadValues> successors,
                      std::span<Bootstrap> out) {
  const auto first_successor = static_cast<std::size_t>(batch.num_states);
  std::vector<std::uint8_t> greedy(successors.size());
  for (std::size_t i = 0; i < successors.size(); ++i) {
    const Context& context = batch.contexts[first_successor + i];
    greedy[i] = MayActivate(context.remaining) && successors[i].WantsActivation(context.cost);
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
    out[e] = {batch.horizons[chosen],
              successor,
              successor >= 0 && greedy[static_cast<std::size_t>(successor)]};
  }
}

DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const HeadValues> heads,
                        std::span<const Target> targets,
                        double calls_weight,
                        std::span<HeadValues> gradient,
                        std::span<float> errors) {
  std::fill(gradient.begin(), gradient.end(), HeadValues{});
  std::fill(errors.begin(), errors.end(), 0.0f);
  const float scale = 1.0f / static_cast<float>(batch.num_states);
  DuelingLoss loss;
  for (std::size_t e = 0; e < batch.entries.size(); ++e) {
    const Batch::Entry& entry = batch.entries[e];
    const auto state = static_cast<std::size_t>(entry.state);
    const float sign = entry.activate ? 0.5f : -0.5f;
    const float return_error = heads[state].Return(entry.activate) - targets[e].return_value;
    const float calls_error = heads[state].Calls(entry.activate) - targets[e].calls_value;
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
    const float logit = logits[i];
    // log(1 + e^x) - label x, without overflow.
    loss +=
        weight * (std::max(logit, 0.0f) + std::log1p(std::exp(-std::abs(logit))) - label * logit);
    gradient[i] = weight * (1.0f / (1.0f + std::exp(-logit)) - label);
  }
  return loss;
}

}  // namespace londi::learner
