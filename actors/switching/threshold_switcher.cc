#include "actors/switching/threshold_switcher.h"

#include "actors/switcher_features.h"

namespace londi::actors {

double Entropy(std::span<const float> features) { return GetScalar(features, Scalar::kEntropy); }

double LackOfMargin(std::span<const float> features) {
  return 1.0 - GetScalar(features, Scalar::kMargin);
}

// The logarithm, not kSequenceProb: in fp16 all that a confident LM says would round to 1.
double Surprisal(std::span<const float> features) {
  return -GetScalar(features, Scalar::kBestLogProb);
}

}  // namespace londi::actors
