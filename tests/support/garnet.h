#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/support/two_action_mdp.h"

namespace londi::testing {

// A random MDP without structure or end: from every state each action leads to `branching` states
// drawn at random, with random probabilities; rewards uniform in [0, 1). Source: Archibald,
// McKinnon and Thomas 1995, "On the generation of Markov decision processes" (GARNET).
inline TwoActionMdp MakeGarnet(int num_states, int branching, double gamma, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::uniform_int_distribution<int> any_state(0, num_states - 1);
  TwoActionMdp mdp{.gamma = gamma};
  mdp.states.resize(static_cast<std::size_t>(num_states));
  for (auto& choices : mdp.states) {
    for (TwoActionMdp::Outcomes& outcomes : choices) {
      std::vector<double> cuts{0, 1};
      for (int i = 1; i < branching; ++i) cuts.push_back(uniform(random));
      std::ranges::sort(cuts);
      for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        outcomes.push_back({.probability = cuts[i + 1] - cuts[i],
                            .reward = uniform(random),
                            .next = any_state(random)});
      }
    }
  }
  return mdp;
}

// The outcome in which `luck`, uniform in [0, 1), falls.
inline const TwoActionMdp::Outcome& Pick(const TwoActionMdp::Outcomes& outcomes, double luck) {
  for (const TwoActionMdp::Outcome& outcome : outcomes) {
    if (luck < outcome.probability) return outcome;
    luck -= outcome.probability;
  }
  return outcomes.back();  // Rounding.
}

}  // namespace londi::testing
