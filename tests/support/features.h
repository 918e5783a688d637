#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "actors/switcher_features.h"

namespace londi::testing {

// The Switcher's features without a hidden state: 0 everywhere but in these scalars.
inline std::vector<float> FeaturesWith(
    std::initializer_list<std::pair<actors::Scalar, float>> values) {
  std::vector<float> features(static_cast<std::size_t>(actors::NumFeatures(0)), 0.0f);
  for (const auto& [scalar, value] : values)
    features[features.size() - actors::kNumScalars + static_cast<std::size_t>(scalar)] = value;
  return features;
}

}  // namespace londi::testing
