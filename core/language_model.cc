#include "core/language_model.h"

#include <algorithm>
#include <cmath>

namespace londi::core {

const char* TierName(Tier tier) { return tier == Tier::kQuick ? "quick" : "deepthink"; }

double ComputeShareMs(const LmUsage& usage) {
  return usage.compute_ms / std::max(usage.batch_size, 1);
}

void SummarizeLogProbs(Proposal& proposal) {
  const std::vector<float>& scores = proposal.log_probs;
  if (scores.empty()) return;
  const auto best = std::max_element(scores.begin(), scores.end());
  proposal.action = static_cast<std::int32_t>(best - scores.begin());
  double total = 0;
  for (float score : scores) total += std::exp(static_cast<double>(score) - *best);
  double entropy = 0, best_prob = 0, second_prob = 0;
  for (const float& score : scores) {
    const double prob = std::exp(static_cast<double>(score) - *best) / total;
    if (prob > 0) entropy -= prob * std::log(prob);
    if (&score == &*best) {
      best_prob = prob;
    } else {
      second_prob = std::max(second_prob, prob);
    }
  }
  proposal.entropy = static_cast<float>(entropy);
  proposal.margin = static_cast<float>(best_prob - second_prob);
  proposal.sequence_prob = std::exp(*best);
}

}  // namespace londi::core
