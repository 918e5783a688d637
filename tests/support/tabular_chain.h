#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "core/budget.h"
#include "core/half.h"
#include "core/transition.h"

namespace londi::testing {

// Chains with a known optimum (algorithms.md 5): the walker must get through the states one after
// the other; in state i it survives with probability quick[i] or deepthink[i], else the episode
// ends with nothing. Reward 1 behind the last.
struct TabularChain {
  std::vector<double> quick;
  std::vector<double> deepthink;
  std::vector<bool> agree;  // Both LMs propose the same action there.
  double gamma = 1;

  int size() const { return static_cast<int>(quick.size()); }
  double Survival(int state, bool g) const {
    return (g ? deepthink : quick)[static_cast<std::size_t>(state)];
  }
  int StepsLeft(int state) const { return size() - state; }

  // One-hot.
  std::vector<float> Features(int state) const {
    std::vector<float> features(static_cast<std::size_t>(size()), 0.0f);
    features[static_cast<std::size_t>(state)] = 1.0f;
    return features;
  }

  static TabularChain Make(int states, double gamma) {
    const auto n = static_cast<std::size_t>(states);
    return {std::vector<double>(n, 1.0),
            std::vector<double>(n, 1.0),
            std::vector<bool>(n, true),
            gamma};
  }
  void SetCritical(int state, double quick_survival, double deepthink_survival) {
    quick[static_cast<std::size_t>(state)] = quick_survival;
    deepthink[static_cast<std::size_t>(state)] = deepthink_survival;
    agree[static_cast<std::size_t>(state)] = false;
  }

  // VP1: three critical states, the longer ago the less a call is worth.
  static TabularChain Critical() {
    TabularChain chain = Make(10, 0.95);
    for (int state : {2, 5, 8}) chain.SetCritical(state, 0.5, 0.95);
    return chain;
  }
  // VP2: critical states of different weight: spend late, not first.
  static TabularChain Heterogeneous() {
    TabularChain chain = Make(10, 0.95);
    chain.SetCritical(2, 0.9, 0.95);
    chain.SetCritical(5, 0.3, 0.95);
    chain.SetCritical(8, 0.6, 0.95);
    return chain;
  }
  // VP3: two keys, one alone is worth nothing.
  static TabularChain TwoKeys() {
    TabularChain chain = Make(6, 1);
    for (int state : {1, 4}) chain.SetCritical(state, 0, 1);
    return chain;
  }
  // VP4: QUICK is unsure where it does not matter, and sure where it is wrong.
  static TabularChain Decoy() {
    TabularChain chain = Make(8, 1);
    for (int state : {1, 3, 5}) chain.SetCritical(state, 1, 1);
    chain.SetCritical(6, 0, 1);
    return chain;
  }
};

// May g = 1 be taken with `remaining`?
inline bool Affords(int remaining) {
  return remaining == core::BudgetGovernor::kUnlimited || remaining >= 1;
}
inline int Less(int remaining, bool g) {
  return remaining == core::BudgetGovernor::kUnlimited ? remaining : remaining - g;
}

// Expected discounted reward minus cost of `policy(state, remaining) -> g` from `state` on; exact.
using ChainPolicy = std::function<bool(int state, int remaining)>;
inline double ValueOf(
    const TabularChain& chain, const ChainPolicy& policy, double cost, int state, int remaining) {
  if (state == chain.size()) return 0;
  const bool g = Affords(remaining) && policy(state, remaining);
  const double reward = state + 1 == chain.size() ? 1 : 0;
  const double next = ValueOf(chain, policy, cost, state + 1, Less(remaining, g));
  return chain.Survival(state, g) * (reward + chain.gamma * next) - (g ? cost : 0);
}

inline double OptimalValue(const TabularChain& chain, double cost, int state, int remaining);

inline double OptimalChoiceValue(
    const TabularChain& chain, double cost, int state, int remaining, bool g) {
  const double reward = state + 1 == chain.size() ? 1 : 0;
  const double next = OptimalValue(chain, cost, state + 1, Less(remaining, g));
  return chain.Survival(state, g) * (reward + chain.gamma * next) - (g ? cost : 0);
}

// By dynamic programming; chains are short.
inline double OptimalValue(const TabularChain& chain, double cost, int state, int remaining) {
  if (state == chain.size()) return 0;
  const double quick = OptimalChoiceValue(chain, cost, state, remaining, false);
  if (!Affords(remaining)) return quick;
  return std::max(quick, OptimalChoiceValue(chain, cost, state, remaining, true));
}

// Writes episodes of random behaviour as an actor would.
class ChainSimulator {
 public:
  ChainSimulator(const TabularChain& chain, std::uint64_t seed) : chain_(chain), random_(seed) {}

  struct Options {
    double max_cost = 0.3;
    int max_budget = 4;
  };

  // One episode: a constant rate of activations, drawn anew (0 and 1 included), under a random cost
  // and budget.
  void AppendEpisode(std::vector<core::Transition>& rows, const Options& options) {
    const double kind = Uniform();
    const double rate = kind < 0.1 ? 0 : kind < 0.2 ? 1 : Uniform();
    const auto cost = static_cast<float>(Uniform() * options.max_cost);
    int remaining = Uniform() < 0.5 ? core::BudgetGovernor::kUnlimited
                                    : static_cast<int>(Uniform() * (options.max_budget + 1));
    ++episode_;
    for (int state = 0; state < chain_.size(); ++state) {
      const bool g = Affords(remaining) && Uniform() < rate;
      const bool survived = Uniform() < chain_.Survival(state, g);
      core::Transition row;
      row.actor = core::ActorId(0);
      row.incarnation = core::Incarnation(1);
      row.sequence = core::Sequence(++sequence_);
      row.episode = core::EpisodeId(episode_);
      row.step = state;
      row.steps_left = chain_.StepsLeft(state);
      row.features = core::ToHalf(chain_.Features(state));
      row.quick_action = 0;
      if (g) row.deepthink_action = chain_.agree[static_cast<std::size_t>(state)] ? 0 : 1;
      row.activated = g;
      row.behaviour_prob = static_cast<float>(g ? rate : 1 - rate);
      row.may_activate = Affords(remaining);
      row.cost = cost;
      row.remaining = remaining;
      row.reward = survived && state + 1 == chain_.size() ? 1.0f : 0.0f;
      row.terminated = !survived || state + 1 == chain_.size();
      remaining = Less(remaining, g);
      rows.push_back(std::move(row));
      if (!survived) return;
    }
  }

 private:
  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  const TabularChain& chain_;
  std::mt19937_64 random_;
  std::int64_t sequence_ = 0;
  std::int64_t episode_ = 0;
};

}  // namespace londi::testing
