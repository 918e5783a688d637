#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/network_options.h"

namespace londi::learner {

struct PpoOptions {
  // Of the policy and of the critic.
  NetworkOptions network{.adam = {.epsilon = 1e-5, .max_gradient_norm = 0.5}};
  double clip = 0.2;             // Of the ratio of probabilities, 0..1.
  double gae_lambda = 0.95;      // 0..1
  double entropy_weight = 0.01;  // Beside normalized advantages, >= 0.
  void Validate() const;         // Throws core::ConfigError.
};

// Proximal policy optimization on the rows that the policy itself has just acted
// (learner/replay/rollout.h), with the probabilities that were recorded then. The policy is the
// network of core/policy_network.h; one critic says what a state is worth, costs included.
//
//   A    = generalized advantage estimate along the row's window (learner.n_step), normalized;
//          returns are relative to the task's reference, if it has one (actors/boundaries.h)
//   loss = -min(r A, clip(r, 1 - e, 1 + e) A) - w entropy,   r = pi(g|s) / mu(g|s)
//   V    -> A + V(s), Huber loss
//
// Where nothing is left of the budget the governor decides, not the policy: such rows teach values
// only. There is no penalty as in sac.h: a wish that is denied is not recorded.
//
// Sources: Schulman et al. 2017 (PPO, arXiv:1707.06347), Schulman et al. 2016 (GAE,
// arXiv:1506.02438), Chen et al. 2024 (LONDI, arXiv:2402.12061).
//   device, seed  as MakeDqn's; the first policy is a fair coin
std::unique_ptr<Algorithm> MakePpo(const PpoOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed);

}  // namespace londi::learner
