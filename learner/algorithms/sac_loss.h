#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learner/batch.h"

namespace londi::learner {

// What a critic says of one state, costs included. The learner reads rows of its output as this.
struct ActionValues {
  float quick = 0;      // Q(s, 0)
  float deepthink = 0;  // Q(s, 1)
  float Of(bool activate) const { return activate ? deepthink : quick; }
};
static_assert(sizeof(ActionValues) == 2 * sizeof(float));

// Of both choices the smaller value of two critics: what is overrated by one is not believed.
ActionValues Smaller(const ActionValues& a, const ActionValues& b);

// Value of a state under a stochastic policy that is also paid for its entropy:
//   sum_g pi(g) (Q(g) - temperature ln pi(g)),   pi(1) = sigmoid(logit)
float SoftValue(float logit, const ActionValues& values, float temperature);

// One step that critics learn from.
struct SacStep {
  std::int32_t state = 0;
  bool activate = false;
  float weight = 1;
  float reward = 0;             // Minus the cost of an activation.
  float discount = 0;           // Of the successor's value.
  std::int32_t successor = -1;  // -1 = terminal
};

// A step for each entry of a batch of single steps (learner.n_step = 1), and for each state in
// which nothing is left of the budget one that activates all the same: the governor denies it, so
// that what follows is what QUICK's action leads to, but instead of its reward there is
// -overdraft_penalty. Source: Sootla et al. 2022 (Saute RL, arXiv:2202.06558).
std::vector<SacStep> MakeSacSteps(const Batch& batch, float overdraft_penalty);

// r + gamma V(s'), with the values of the target critics.
//   logits, values  [num_successors]
std::vector<float> MakeSacTargets(std::span<const SacStep> steps,
                                  std::span<const float> logits,
                                  std::span<const ActionValues> values,
                                  float temperature);

// Weighted Huber loss (delta 1) of one critic, divided by the number of states, and its derivative.
//   values    [num_states] predictions
//   targets   [steps]
//   gradient  [num_states] overwritten
//   errors    [num_states] raised to the largest |error| of the state's steps; a NaN stays
double ComputeCriticLoss(std::span<const SacStep> steps,
                         std::span<const ActionValues> values,
                         std::span<const float> targets,
                         std::span<ActionValues> gradient,
                         std::span<float> errors);

struct SacPolicyLoss {
  double loss = 0;     // Mean of -SoftValue.
  double entropy = 0;  // Mean, nats; both weighted as rows are.
};

// The policy's loss, in which the critics' values are constants, and its derivative.
//   logits    [num_states]
//   values    [num_states]
//   gradient  [num_states] overwritten
SacPolicyLoss ComputeSacPolicyLoss(const Batch& batch,
                                   std::span<const float> logits,
                                   std::span<const ActionValues> values,
                                   float temperature,
                                   std::span<float> gradient);

}  // namespace londi::learner
