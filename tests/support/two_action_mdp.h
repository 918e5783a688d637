#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "core/budget.h"

// The Switcher's problem with frozen LMs, solved exactly: a finite MDP with two actions, g = 1 at a
// cost c and, where there is a budget, at most B times (algorithms.md 1.2 and 2.7).
namespace londi::testing {

struct TwoActionMdp {
  static constexpr int kEnd = -1;
  struct Outcome {
    double probability = 1;
    double reward = 0;
    int next = kEnd;  // State, or kEnd: nothing of value follows.
  };
  using Outcomes = std::vector<Outcome>;  // Probabilities add up to 1.

  std::vector<std::array<Outcomes, 2>> states;  // [state][g]
  double gamma = 1;                             // Below 1 unless every walk ends.

  int size() const { return static_cast<int>(states.size()); }
  const Outcomes& At(int state, bool g) const { return states[static_cast<std::size_t>(state)][g]; }
};

// What is expected of `outcomes` where a state is worth `values`; without the cost.
inline double Backup(const TwoActionMdp& mdp,
                     const TwoActionMdp::Outcomes& outcomes,
                     const std::vector<double>& values) {
  double sum = 0;
  for (const auto& [probability, reward, next] : outcomes) {
    const double after = next == TwoActionMdp::kEnd ? 0 : values[static_cast<std::size_t>(next)];
    sum += probability * (reward + mdp.gamma * after);
  }
  return sum;
}

// Repeats `improve` on all states, last first (the states of a walk are numbered along it, so one
// round solves them), until nothing changes by more than a rounding error.
inline std::vector<double> FixedPoint(
    int num_states, const std::function<double(int, std::vector<double>&)>& improve) {
  std::vector<double> values(static_cast<std::size_t>(num_states), 0.0);
  double change = 1;
  while (change > 1e-14) {
    change = 0;
    for (int state = num_states - 1; state >= 0; --state) {
      double& value = values[static_cast<std::size_t>(state)];
      const double better = improve(state, values);
      change = std::max(change, std::abs(better - value) / std::max(1.0, std::abs(better)));
      value = better;
    }
  }
  return values;
}

// The optimum for every state and everything that may be left of the budget. Ties stay with QUICK.
class MdpSolution {
 public:
  // `budget` >= 0, or core::BudgetGovernor::kUnlimited. The MDP outlives the solution.
  MdpSolution(const TwoActionMdp& mdp, double cost, int budget)
      : mdp_(mdp), cost_(cost), unlimited_(budget == core::BudgetGovernor::kUnlimited) {
    for (int z = 0; z <= (unlimited_ ? 0 : budget); ++z) {
      values_.push_back(FixedPoint(mdp.size(), [&](int state, std::vector<double>& values) {
        const double quick = Backup(mdp_, mdp_.At(state, false), values);
        if (!unlimited_ && z == 0) return quick;
        const std::vector<double>& after =
            unlimited_ ? values : values_[static_cast<std::size_t>(z - 1)];
        return std::max(quick, Backup(mdp_, mdp_.At(state, true), after) - cost_);
      }));
    }
  }

  // `remaining`: 0 up to the budget, or kUnlimited if that was the budget.
  double Value(int state, int remaining) const {
    return Layer(remaining)[static_cast<std::size_t>(state)];
  }
  // Of choosing g once, then the optimum; -infinity where g = 1 is not allowed.
  double Value(int state, int remaining, bool g) const {
    if (!g) return Backup(mdp_, mdp_.At(state, false), Layer(remaining));
    if (remaining == 0) return -std::numeric_limits<double>::infinity();
    return Backup(mdp_, mdp_.At(state, true), Layer(unlimited_ ? remaining : remaining - 1)) -
           cost_;
  }
  bool Calls(int state, int remaining) const {
    return Value(state, remaining, true) > Value(state, remaining, false) + kTie;
  }
  // Whether `g` is worth as much as the best choice.
  bool IsOptimal(int state, int remaining, bool g) const {
    return Value(state, remaining, g) >= Value(state, remaining, !g) - kTie;
  }

 private:
  static constexpr double kTie = 1e-10;

  const std::vector<double>& Layer(int remaining) const {
    return values_[unlimited_ ? 0 : static_cast<std::size_t>(remaining)];
  }

  const TwoActionMdp& mdp_;
  const double cost_;
  const bool unlimited_;
  std::vector<std::vector<double>> values_;  // [what is left][state]
};

// Return and number of activations, both discounted, of a policy without a budget; by state.
struct PolicyValues {
  std::vector<double> returns, calls;
};
inline PolicyValues EvaluatePolicy(const TwoActionMdp& mdp,
                                   const std::function<bool(int state)>& policy) {
  PolicyValues result;
  result.returns = FixedPoint(mdp.size(), [&](int state, std::vector<double>& values) {
    return Backup(mdp, mdp.At(state, policy(state)), values);
  });
  result.calls = FixedPoint(mdp.size(), [&](int state, std::vector<double>& values) {
    double sum = policy(state) ? 1 : 0;
    for (const auto& [probability, reward, next] : mdp.At(state, policy(state))) {
      if (next != TwoActionMdp::kEnd)
        sum += probability * mdp.gamma * values[static_cast<std::size_t>(next)];
    }
    return sum;
  });
  return result;
}

}  // namespace londi::testing
