#pragma once

#include <string_view>

// The Switcher's network "dueling_mlp", written by the learner (LibTorch) and read by actors (no
// torch). Both sides follow this table; tests/parity holds them together to 1e-5.
//
//   input     [num_features + kNumContextInputs]  features ++ EncodeContext(c, z, steps_left)
//   trunk     kTrunkLayers times: Linear -> LayerNorm(eps 1e-5) -> ReLU
//   heads     value and advantage for each of two critics, all Linear(width -> 1)
//
//   Q_R(s,g) = V_R + (g - 1/2) A_R    expected task return
//   Q_N(s,g) = V_N + (g - 1/2) A_N    expected number of activations
//   Q(s,g)   = Q_R(s,g) - c Q_N(s,g),  advantage = A_R - c A_N, activate iff legal and advantage >
//   0
//
// Arrays (weights row-major [out, in]):
//   trunk.<i>.weight, trunk.<i>.bias, trunk.<i>.norm.weight, trunk.<i>.norm.bias       i =
//   0..layers-1 return.value.{weight,bias}  return.advantage.{weight,bias}
//   calls.value.{weight,bias}   calls.advantage.{weight,bias}
namespace londi::core::switcher_network {

inline constexpr std::string_view kArchitecture = "dueling_mlp";
inline constexpr float kLayerNormEpsilon = 1e-5f;

}  // namespace londi::core::switcher_network
