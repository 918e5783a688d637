#pragma once

#include <span>
#include <vector>

#include "learner/batch.h"

namespace londi::learner {

// What one state's choice was worth more than the state, and what the state is worth by it.
struct AdvantageEstimate {
  float advantage = 0;
  float value = 0;
};

// Generalized advantage estimates (Schulman et al. 2016, arXiv:1506.02438) of the choices taken,
// truncated at the window's end. Rewards are minus the cost of activations, and values are relative
// to the task's reference (Batch::references): V(s) = E[return from s] - reference. That is reward
// shaping with the reference as the potential of every state but the end, which changes no policy's
// rank (Ng, Harada and Russell 1999, "Policy invariance under reward transformations"); with a
// discount of 1 the reference is taken off the last reward and nothing else happens.
//   values      [num_states]
//   successors  [num_successors] values
// Returns [num_states].
std::vector<AdvantageEstimate> EstimateAdvantages(const Batch& batch,
                                                  std::span<const float> values,
                                                  std::span<const float> successors,
                                                  double lambda);

// Mean 0 and deviation 1 over the states in which the policy had a choice; unchanged where all are
// equal, and in the other states.
void NormalizeAdvantages(const Batch& batch, std::span<AdvantageEstimate> estimates);

struct PpoLoss {
  double loss = 0;     // Mean clipped objective, negative.
  double entropy = 0;  // Mean, nats; 0 where the budget leaves no choice.
};

// -min(r A, clip(r, 1 - clip, 1 + clip) A) - entropy_weight * entropy, r the ratio of the
// policy's probability of the recorded choice to the recorded one, and its derivative. Where
// nothing is left of the budget, the choice was not the policy's.
//   logits    [num_states]
//   gradient  [num_states] overwritten
PpoLoss ComputePpoLoss(const Batch& batch,
                       std::span<const float> logits,
                       std::span<const AdvantageEstimate> estimates,
                       double clip,
                       double entropy_weight,
                       std::span<float> gradient);

// Mean Huber loss (delta 1) of the values and its derivative.
double ComputeValueLoss(std::span<const float> values,
                        std::span<const AdvantageEstimate> estimates,
                        std::span<float> gradient);

}  // namespace londi::learner
