#pragma once

#include <cmath>
#include <string_view>

// The network of a stochastic policy, which algorithms with an actor of its own (sac) teach the
// Switcher, written by the learner (LibTorch) and read by actors (no torch). Both sides follow this
// table; tests/parity holds them together to 1e-5.
//
//   input  [num_features + kNumContextInputs]  features ++ EncodeContext(c, z, steps_left)
//   trunk  a tower over it, as in core/switcher_network.h
//   logit  Linear(width -> 1)                  P(g = 1 | s) = 1 / (1 + e^-logit)
//
// In training g is drawn with that probability, otherwise it is the likelier one. Arrays:
//   trunk.<i>.{weight,bias}  trunk.<i>.norm.{weight,bias}  logit.{weight,bias}
namespace londi::core::policy_network {

inline constexpr std::string_view kArchitecture = "policy_mlp";
inline constexpr std::string_view kHead = "logit";

// P(g = 1 | s). A NaN never activates.
inline float ActivationProb(float logit) {
  return std::isnan(logit) ? 0.0f : 1.0f / (1.0f + std::exp(-logit));
}

}  // namespace londi::core::policy_network
