#pragma once

#include <string_view>

// The Switcher's network, written by the learner (LibTorch) and read by actors (no torch). Both
// sides follow this table; tests/parity holds them together to 1e-5.
//
//   input         [num_features + kNumContextInputs]  features ++ EncodeContext(c, z, steps_left)
//   disagreement  a tower over the features alone, then Linear(width -> 1): the logit of
//                 d = P(DEEPTHINK would act otherwise than QUICK | features); it knows no cost and
//                 no budget, because DEEPTHINK does not. Without the tower d = 1
//   trunk         a tower over input ++ (d, ln(d + kLogFloor) / 4) where there is a d
//   heads         six times Linear(width -> 1)
//
//   A_R = d G_R + (1 - d) l S_R            Q_R(s,g) = V_R + (g - 1/2) A_R   expected task return
//   A_N = d G_N + (1 - d) l S_N + 1        Q_N(s,g) = V_N + (g - 1/2) A_N   expected activations
//   Q(s,g) = Q_R(s,g) - c Q_N(s,g),  advantage = A_R - c A_N, activate iff legal and advantage > 0
//
// where l = 1 if the budget may run out, else 0. G is what an activation changes if the LMs
// disagree. If they agree, the action is the same and all that changes is the budget's rest: S,
// minus its shadow price, and nothing at all without a budget. The activation itself counts 1.
// (algorithms.md 2.4.4: A = d E[gain | disagreement] - lambda - c.)
//
// A tower is `layers` times Linear -> LayerNorm(eps 1e-5) -> ReLU. Arrays, weights row-major
// [out, in], i = 0..layers-1:
//   trunk.<i>.{weight,bias}         trunk.<i>.norm.{weight,bias}
//   return.value.{weight,bias}      return.gain.{weight,bias}      return.shadow.{weight,bias}
//   calls.value.{weight,bias}       calls.gain.{weight,bias}       calls.shadow.{weight,bias}
//   disagreement.<i>.{weight,bias}  disagreement.<i>.norm.{weight,bias}
//   disagreement.logit.{weight,bias}
namespace londi::core::switcher_network {

inline constexpr std::string_view kArchitecture = "disagreement_mlp";
inline constexpr float kLayerNormEpsilon = 1e-5f;
inline constexpr float kLogFloor = 1e-3f;
inline constexpr int kNumDisagreementInputs = 2;  // What d adds to the trunk's input.

}  // namespace londi::core::switcher_network
