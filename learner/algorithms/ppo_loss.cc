#include "learner/algorithms/ppo_loss.h"

#include <algorithm>
#include <cmath>

#include "learner/algorithms/logistic.h"

namespace londi::learner {
namespace {

// Whether the choice in state i was the policy's, and not that of the budget.
bool HasChoice(const Batch& batch, std::size_t i) {
  return MayActivate(batch.contexts[i].remaining, batch.least_per_call);
}

}  // namespace

std::vector<AdvantageEstimate> EstimateAdvantages(const Batch& batch,
                                                  std::span<const float> values,
                                                  std::span<const float> successors,
                                                  double lambda) {
  std::vector<AdvantageEstimate> estimates;
  estimates.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Batch::Entry& entry = batch.entries[i];  // The choice taken in row i.
    const auto first = static_cast<std::size_t>(entry.first_horizon);
    const std::size_t end = first + static_cast<std::size_t>(entry.num_horizons);
    // The mean of the k-step estimates with weights (1 - lambda) lambda^(k-1); the last has the
    // rest.
    double advantage = 0, weight = 1;
    for (std::size_t h = first; h < end; ++h) {
      const Horizon& horizon = batch.horizons[h];
      double estimate = horizon.reward - batch.contexts[i].cost * horizon.calls;
      const std::int32_t successor = batch.horizon_successor[h];
      const float ahead = successor < 0 ? 0 : horizon.discount;  // Whose values are relative, too.
      if (successor >= 0) estimate += ahead * successors[static_cast<std::size_t>(successor)];
      estimate -= (1 - ahead) * batch.references[i];
      const double share = h + 1 == end ? weight : weight * (1 - lambda);
      advantage += share * (estimate - values[i]);
      weight *= lambda;
    }
    estimates.push_back({static_cast<float>(advantage), static_cast<float>(values[i] + advantage)});
  }
  return estimates;
}

void NormalizeAdvantages(const Batch& batch, std::span<AdvantageEstimate> estimates) {
  std::vector<AdvantageEstimate*> chosen;
  for (std::size_t i = 0; i < estimates.size(); ++i)
    if (HasChoice(batch, i)) chosen.push_back(&estimates[i]);
  const auto count = static_cast<double>(chosen.size());
  double mean = 0, squares = 0;
  for (const AdvantageEstimate* estimate : chosen) mean += estimate->advantage / count;
  for (const AdvantageEstimate* estimate : chosen)
    squares += (estimate->advantage - mean) * (estimate->advantage - mean) / count;
  if (squares == 0) return;
  const double inverse = 1 / (std::sqrt(squares) + 1e-8);
  for (AdvantageEstimate* estimate : chosen)
    estimate->advantage = static_cast<float>((estimate->advantage - mean) * inverse);
}

PpoLoss ComputePpoLoss(const Batch& batch,
                       std::span<const float> logits,
                       std::span<const AdvantageEstimate> estimates,
                       double clip,
                       double entropy_weight,
                       std::span<float> gradient) {
  const double scale = 1 / static_cast<double>(logits.size());
  PpoLoss result;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    gradient[i] = 0;
    if (!HasChoice(batch, i)) continue;
    const bool activated = batch.entries[i].activate;
    const float logit = logits[i], p = Sigmoid(logit), advantage = estimates[i].advantage;
    const double ratio =
        std::exp(LogSigmoid(activated ? logit : -logit)) / batch.behaviour_probs[i];
    const double clipped = std::clamp(ratio, 1 - clip, 1 + clip);
    const double objective = std::min(ratio * advantage, clipped * advantage);
    const float entropy = EntropyOf(logit);
    result.loss -= scale * (objective + entropy_weight * entropy);
    result.entropy += scale * entropy;
    // d ln pi(g) / d logit = g - p; that of the entropy is -p (1 - p) logit.
    const bool follows = ratio * advantage <= clipped * advantage;
    const double slope = follows ? ratio * advantage * ((activated ? 1 : 0) - p) : 0;
    gradient[i] = static_cast<float>(scale * (entropy_weight * p * (1 - p) * logit - slope));
  }
  return result;
}

double ComputeValueLoss(std::span<const float> values,
                        std::span<const AdvantageEstimate> estimates,
                        std::span<float> gradient) {
  const float scale = 1 / static_cast<float>(values.size());
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float error = values[i] - estimates[i].value, size = std::abs(error);
    loss += scale * (size <= 1 ? 0.5f * error * error : size - 0.5f);
    gradient[i] = scale * std::clamp(error, -1.0f, 1.0f);
  }
  return loss;
}

}  // namespace londi::learner
