#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/network_options.h"

namespace londi::learner {

struct SacOptions {
  NetworkOptions network;      // Of the policy and of each critic.
  double target_rate = 0.005;  // Polyak averaging of the target critics, (0, 1].
  double temperature = 1e-3;   // Reward per nat of entropy, at the start, > 0.
  // The temperature sinks while the policy's entropy is above this, nats; 0 = it stays.
  double target_entropy = 0;
  double overdraft_penalty = 1;  // Of a call that the budget denies, task reward, > 0.
  void Validate() const;         // Throws core::ConfigError.
};

// Discrete soft actor-critic as the family of LONDI's authors trains switching controls: one
// costed reward, one policy, no duplicate of a row under other costs or budgets. The policy is the
// network of core/policy_network.h; two critics say Q(s, 0) and Q(s, 1) of r - c g.
//
//   V(s') = sum_g pi(g|s') (min_i Q_i'(s', g) - alpha ln pi(g|s'))
//   y     = r - c g + gamma V(s')            Huber loss of both critics, Polyak targets
//   loss  = sum_g pi(g|s) (alpha ln pi(g|s) - min_i Q_i(s, g))
//
// An entropy bonus of up to alpha ln 2 per step competes with c: alpha should be at most c / 10.
// Rows must be single steps (learner.n_step = 1). Budget (LONDI-B): what is left of it is a part of
// the state, and wanting a call when nothing is left costs `overdraft_penalty`. That is what the
// policy learns from; what it may do is the governor's say (decision 0029).
//
// Sources: Haarnoja et al. 2018 (SAC, arXiv:1801.01290; tuned temperature, arXiv:1812.05905),
// Christodoulou 2019 (discrete actions, arXiv:1910.07207), Chen et al. 2024 (LONDI,
// arXiv:2402.12061), Sootla et al. 2022 (Saute RL, arXiv:2202.06558).
//   device, seed  as MakeDqn's; the first policy is a fair coin
std::unique_ptr<Algorithm> MakeSac(const SacOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed);

}  // namespace londi::learner
