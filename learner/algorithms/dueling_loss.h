#pragma once

#include <cstdint>
#include <span>

#include "core/switcher_network.h"
#include "learner/batch.h"

namespace londi::learner {

using core::switcher_network::Values;

// Where an entry's target continues, decided by the online network's values of the successors.
struct Bootstrap {
  Horizon horizon;
  std::int32_t successor = -1;  // -1 = terminal
  bool activate = false;        // a*: the legal greedy choice there.
};

//   successors [num_successors]
// Fills out [entries].
void ChooseBootstraps(const Batch& batch,
                      std::span<const Values> successors,
                      std::span<Bootstrap> out);

struct Target {
  float return_value = 0;
  float calls_value = 0;
};

// Advantage learning (Bellemare et al. 2016, arXiv:1512.04860): the return that is expected of a
// choice falls by `strength`, [0, 1), times as much as it is worth less than the other one, so that
// the two differ 1 / (1 - strength) times as much in the end. What is greedy stays the same, and so
// does what it is worth: only errors turn the choice less often. Where one choice is legal nothing
// changes.
//   values   [num_states] predictions
//   targets  [entries]
void WidenActionGaps(const Batch& batch,
                     std::span<const Values> values,
                     double strength,
                     std::span<Target> targets);

// Each the sum over entries of weight * Huber(error), divided by the number of states.
struct DuelingLoss {
  double loss_return = 0;
  double loss_calls = 0;
  double loss_scalarized = 0;  // Of Q_R - c Q_N, at the state's cost.
};

// What the losses count beside the one of the returns, which counts 1.
struct LossWeights {
  double calls = 1;
  // Both critics jump where the policy changes with the cost, Q_R - c Q_N does not. With this
  // weight a network that rounds the jumps off learns to round off both alike. The second loss of
  // Envelope MOQ-learning (Yang et al. 2019, arXiv:1908.08342), with a Huber loss. Decision 0049.
  double scalarized = 0;
};

// Weighted Huber losses (delta 1) of both critics and their derivative.
//   values    [num_states] predictions
//   targets   [entries]
//   gradient  [num_states] of the weighted sum of the losses with respect to values
//   errors    [num_states] |Q_R error| + c |Q_N error|, the largest over the state's entries
DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const Values> values,
                        std::span<const Target> targets,
                        const LossWeights& weights,
                        std::span<Values> gradient,
                        std::span<float> errors);

// Mean Huber losses of the gains of the branched states, where the choice is known to have
// mattered. Adds to the gradient; returns the loss (returns and weighted calls), 0 without such a
// state.
double ComputeGainLoss(const Batch& batch,
                       std::span<const Values> values,
                       double calls_weight,
                       std::span<Values> gradient);

// Conservative Q-learning, CQL(H) (Kumar et al. 2020, arXiv:2006.04779, equation 4): for each state
// ln sum_g exp Q(s,g) - Q(s,g taken) over the legal choices, weighted, divided by the number of
// states, times `strength`. It pulls down what the rows did not do. Adds to the gradient; returns
// the loss.
double ComputeConservativeLoss(const Batch& batch,
                               std::span<const Values> values,
                               double strength,
                               std::span<Values> gradient);

// Weighted cross-entropy (nats) of the states in which DEEPTHINK was asked, divided by the number
// of states, and its derivative.
//   logits    [num_states] of d
//   gradient  [num_states]
double ComputeDisagreementLoss(const Batch& batch,
                               std::span<const float> logits,
                               std::span<float> gradient);

}  // namespace londi::learner
