#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/network_options.h"

namespace londi::learner {

// Of the network's memory (core/switcher_network.h), for tasks in which what matters was seen
// before.
struct MemoryOptions {
  int width = 0;    // Units, 4..1024; 0 = no memory.
  int window = 32;  // Rows that it remembers at least, 1..core's kMaxMemoryWindow.
};

struct DqnOptions {
  NetworkOptions network{.adam = {.epsilon = 1.5e-4}};
  int disagreement_width = 128;       // Units per layer of its tower, 8..4096; 0 = no tower.
  bool branching = false;             // Gains are learned from branched rows, and only there.
  double retrace_lambda = 0;          // Targets by Retrace(lambda) with this, 0..1; 0 = without.
  double retrace_temperature = 0.02;  // Of the policy that they are about, task reward, >= 0.
  double target_rate = 0.005;         // Polyak averaging of the target network, (0, 1].
  double calls_loss_weight = 0.25;    // LossWeights::calls, > 0.
  double scalarized_loss_weight = 0;  // LossWeights::scalarized, >= 0.
  double action_gap = 0;              // Strength of WidenActionGaps, [0, 1); 0 = without.
  double conservative = 0;            // Strength of ComputeConservativeLoss, >= 0; 0 = without.
  MemoryOptions memory;
  void Validate() const;  // Throws core::ConfigError.
};

// Double dueling n-step DQN with two critics, conditioned on cost and budget; the network is the
// one of core/switcher_network.h.
//
//   y_R = R_k + gamma^k Q_R'(s_k, a*)      y_N = N_k + gamma^k Q_N'(s_k, a*)
//   a*  = argmax_{legal} Q_R - c Q_N
//
// with a* of the online network and the values of the target network, both critics at the same a*:
// what is learned is the return and the bill of one policy, the one that is greedy at (c, z). Legal
// is MayActivate(z_k); a NaN is never greedy. Huber losses, Adam, gradient clipping, Polyak target.
// Where the LMs disagree is learned beside it, by cross-entropy on the rows in which DEEPTHINK was
// asked; most of an advantage's noise is about states in which they agree, where it is 0.
//
// With `retrace_lambda` targets do not end where a row was not greedy, but go on by as much as the
// policy could have done the same as was done (MakeRetraceTargets); that policy is greedy but for a
// temperature. Without it they are the same with lambda = 1 and temperature 0 (ChooseHorizon).
//
// With a `memory` the network remembers an episode's former rows. The learner reads them anew for
// each row of a batch (MemoryChains), as the actors did, so that nothing of it stands in the rows;
// the gradient goes back through all of them.
//
// Sources: Mnih et al. 2015; van Hasselt et al. 2016 (double, arXiv:1509.06461); Wang et al. 2016
// (dueling, arXiv:1511.06581); Hessel et al. 2018 (Rainbow, arXiv:1710.02298); the switching
// problem: Chen et al. 2024 (LONDI, arXiv:2402.12061); Munos et al. 2016 (Retrace,
// arXiv:1606.02647). Two critics: algorithms.md 2.6.
//   device  "cpu", "cuda" or "cuda:<index>", already resolved
//   seed    of the initial weights; the heads start at 0, so the first policy is always QUICK
std::unique_ptr<Algorithm> MakeDqn(const DqnOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed);

}  // namespace londi::learner
