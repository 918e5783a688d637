#pragma once

#include <string_view>

// The Switcher's network, written by the learner (LibTorch) and read by actors (no torch). Both
// sides follow this table; tests/parity holds them together to 1e-5.
//
//   input         [num_features + kNumContextInputs]  features ++ EncodeContext(c, z, steps_left)
//   memory        reads the features of the episode's rows from MemoryStart on, the current one
//                 last; what it then remembers, [memory width], stands behind the features wherever
//                 the rest of the network reads these. Without a memory nothing does
//   disagreement  a tower over the features alone, then Linear(width -> 1): the logit of
//                 d = P(DEEPTHINK would act otherwise than QUICK | features); it knows no cost and
//                 no budget, because DEEPTHINK does not. Without the tower d = 1
//   trunk         a tower over input ++ (d, ln(d + kLogFloor) / 4) where there is a d
//   heads         six times Linear(width -> 1)
//
//   A_R = d G_R + (1 - d) l S_R            Q_R(s,g) = V_R + (g - 1/2) A_R   expected task return
//   A_N = d G_N + (1 - d) l S_N + 1        Q_N(s,g) = V_N + (g - 1/2) A_N   expected activations
//   Q(s,g) = Q_R(s,g) - c Q_N(s,g)
//   advantage = d (G_R - c G_N) - c + min(0, (1 - d) l (S_R - c S_N)),  activate iff legal and > 0
//
// where l = 1 if the budget may run out, else 0. G is what an activation changes if the LMs
// disagree. If they agree, the action is the same and all that changes is the budget's rest: S,
// minus its shadow price, and nothing at all without a budget. The activation itself counts 1.
// Less of a budget is never worth more: where S says so it errs, and the policy does not follow it.
// (algorithms.md 2.4.4: A = d E[gain | disagreement] - lambda - c.) With branching G is learned
// from rows whose other choice was played out, too (core::Transition::Gain), and from nothing else.
//
// The memory is a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078; for partial observability
// Hausknecht & Stone 2015, arXiv:1507.06527), h = 0 before the first row it reads. Its two linear
// layers have three outputs per unit, for reset r, keep k and candidate n, in that order:
//
//   r, k = sigmoid(input(x) + state(h))    n = tanh(input(x)_n + r state(h)_n)
//   h <- (1 - k) n + k h
//
// A tower is `layers` times Linear -> LayerNorm(eps 1e-5) -> ReLU. Arrays, weights row-major
// [out, in], i = 0..layers-1:
//   trunk.<i>.{weight,bias}         trunk.<i>.norm.{weight,bias}
//   return.value.{weight,bias}      return.gain.{weight,bias}      return.shadow.{weight,bias}
//   calls.value.{weight,bias}       calls.gain.{weight,bias}       calls.shadow.{weight,bias}
//   disagreement.<i>.{weight,bias}  disagreement.<i>.norm.{weight,bias}
//   disagreement.logit.{weight,bias}
//   memory.input.{weight,bias}      [3 width, num_features], [3 width]
//   memory.state.{weight,bias}      [3 width, width], [3 width]
//   memory.window [1]               of MemoryStart. These five only where there is a memory
namespace londi::core::switcher_network {

inline constexpr std::string_view kArchitecture = "disagreement_mlp";
inline constexpr float kLayerNormEpsilon = 1e-5f;
inline constexpr float kLogFloor = 1e-3f;
inline constexpr int kNumDisagreementInputs = 2;  // What d adds to the trunk's input.

// The step of the episode from which on the memory reads what it is to know at `step`: all of the
// rows since an episode's start up to two windows, and later at least `window` rows before the
// current one, at most two windows in all. It begins anew once per window instead
// of once per row, so that neighbouring rows share what was read: an actor reads two rows per
// decision on average instead of a window, and the learner a sampled row's past once for it and all
// of its successors.
//   step    >= 0
//   window  rows, 1..kMaxMemoryWindow
inline constexpr int kMaxMemoryWindow = 1024;
constexpr int MemoryStart(int step, int window) {
  const int before = step / window - 1;
  return before > 0 ? before * window : 0;
}

// What the network says about one state. The learner reads rows of its output tensor as this.
struct Values {
  float return_value = 0;      // V_R
  float return_advantage = 0;  // A_R
  float calls_value = 0;       // V_N
  float calls_advantage = 0;   // A_N
  float disagreement = 1;      // d
  float return_gain = 0;       // G_R
  float calls_gain = 1;        // G_N + 1
  float return_shadow = 0;     // (1 - d) l S_R, which is a part of A_R
  float calls_shadow = 0;      // (1 - d) l S_N, of A_N

  float Return(bool activate) const {
    return return_value + (activate ? 0.5f : -0.5f) * return_advantage;
  }
  float Calls(bool activate) const {
    return calls_value + (activate ? 0.5f : -0.5f) * calls_advantage;
  }
  // Q(s, activate) - Q(s, not).
  float Difference(float cost) const { return return_advantage - cost * calls_advantage; }
  // The same without a shadow price below 0.
  float Advantage(float cost) const {
    const float shadow = return_shadow - cost * calls_shadow;
    return Difference(cost) - (shadow > 0 ? shadow : 0);
  }
  // What the greedy policy does where it may. A tie stays with QUICK, and so does a NaN.
  bool Activates(float cost) const { return Advantage(cost) > 0; }
};
static_assert(sizeof(Values) == 9 * sizeof(float));

}  // namespace londi::core::switcher_network
