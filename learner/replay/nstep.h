#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace londi::learner {

inline constexpr int kMaxSteps = 16;  // Longest n.

// One row of a window as its arithmetic needs it.
struct WindowStep {
  float reward = 0;
  bool activated = false;
  bool terminal = false;   // Nothing of value follows (StoredRow::is_terminal).
  std::int32_t price = 1;  // Of the activation, ticks.
  std::int32_t least = 1;  // With less left there is none (core::BudgetMeter::least_per_call).
};

// What k = 1, 2, ... rows of a window yield; the target of the first row's choice is
//   reward + discount * V(state of row k, remaining - spent)      for each critic, V = 0 if
//   terminal
struct Horizon {
  float reward = 0;         // sum_{i<k} gamma^i r_i
  float calls = 0;          // sum_{i<k} gamma^i g_i
  std::int32_t spent = 0;   // sum_{i<k} price_i g_i: what the window takes out of the budget, ticks
  std::int32_t needed = 0;  // At the first row, for each of these to be admitted in its turn, ticks
  float discount = 1;       // gamma^k
  bool terminal = false;
};

// window  [1..kMaxSteps] successive rows of one episode, ending early at a terminal row
// Fills out[k-1] for k = 1..window.size(), returns the number of horizons.
int MakeHorizons(std::span<const WindowStep> window, double gamma, std::span<Horizon> out);

// How far a window may be followed: rows behind the first are only worth following as long as they
// did what the greedy policy would do now, at this cost and this remaining budget (a relabelled
// row's behaviour may have had others). An activation that the relabelled budget forbids is never
// greedy, so the budget needs no further rule.
//   followed[k-1]  whether the row behind horizon k was recorded with the greedy choice
// Returns the index of the horizon to bootstrap from: the first that is terminal, the last, or not
// followed.
//
// This is Retrace with lambda = 1 and a greedy target policy, truncated at n (Munos et al. 2016,
// arXiv:1606.02647), also known as Watkins' Q(lambda): its fixed point is Q*, whatever the
// behaviour. The uncorrected n-step return of Ape-X (arXiv:1803.00933) is ChooseHorizon with
// everything followed.
int ChooseHorizon(std::span<const Horizon> horizons, std::span<const std::uint8_t> followed);

// What Retrace needs to know of the state behind a horizon and of the choice recorded there.
struct RetraceStep {
  float trace = 0;     // RetraceTrace of that choice.
  float expected = 0;  // sum_g pi(g) Q(g), 0 if terminal.
  float taken = 0;     // Q of that choice.
};

// lambda min(1, pi / mu)
//   pi  probability of a recorded choice under the policy that is learned about
//   mu  its probability when it was made
float RetraceTrace(double lambda, float pi, float mu);

// Target of a window's first choice, for any policy pi and whatever the behaviour was:
//   y = H_1 + gamma E_1 + sum_{k=1..n-1} c_1 ... c_k (H_{k+1} - H_k + gamma^{k+1} E_{k+1} - gamma^k
//   Q_k)
// where H_k is the horizon's sum and c_k, E_k, Q_k stand in behind[k-1]: Retrace(lambda) (Munos et
// al. 2016, arXiv:1606.02647), truncated at n. Its fixed point is Q of pi.
//   horizons, behind  [n >= 1]
//   sum               &Horizon::reward or &Horizon::calls
float RetraceTarget(std::span<const Horizon> horizons,
                    float Horizon::*sum,
                    std::span<const RetraceStep> behind);

}  // namespace londi::learner
