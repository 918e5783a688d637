#pragma once

#include <algorithm>
#include <cmath>

// A stochastic policy of two choices, P(g = 1) = sigmoid(logit), without overflow.
namespace londi::learner {

inline float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

inline float LogSigmoid(float x) { return std::min(x, 0.0f) - std::log1p(std::exp(-std::abs(x))); }

// Nats, of a label in [0, 1]; its slope is Sigmoid(logit) - label.
inline float CrossEntropy(float logit, float label) {
  return -label * LogSigmoid(logit) - (1 - label) * LogSigmoid(-logit);
}

// Nats; 0 where the choice is certain.
inline float EntropyOf(float logit) {
  const float p = Sigmoid(logit);
  return -p * LogSigmoid(logit) - (1 - p) * LogSigmoid(-logit);
}

}  // namespace londi::learner
