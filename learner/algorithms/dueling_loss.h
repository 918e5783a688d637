#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/switcher_network.h"
#include "learner/batch.h"

namespace londi::learner {

using core::switcher_network::kNumPlans;
using core::switcher_network::Values;

// Where an entry's target continues, decided by the online network's values of the successors.
struct Bootstrap {
  Horizon horizon;
  std::int32_t successor = -1;                  // -1 = terminal
  core::switcher_network::GreedyChoice choice;  // a*: the legal greedy choice there.
};

//   successors [num_successors]
//   rule       of core's ChooseGreedily
// Fills out [entries].
void ChooseBootstraps(const Batch& batch,
                      std::span<const Values> successors,
                      core::switcher_network::PlanRule rule,
                      std::span<Bootstrap> out);

struct Target {
  float return_value = 0;
  float calls_value = 0;
};

// What the plans of one state are to be taught; a plan that would have acted otherwise than the row
// learns nothing from it.
struct PlanTargets {
  std::array<bool, kNumPlans> known{};
  std::array<Target, kNumPlans> targets{};
};

// Policy evaluation: the window of the row for as long as it did what the plan would have done,
// then the plan's own value there (without follow_greedy_only the whole window). Where the LMs
// agreed and there is no budget, another choice would have led to the same state with a call more
// or less, so the window goes on.
//   states      [num_states]      d of the online network
//   successors  [num_successors]  its values
// Fills out [num_states].
void MakePlanTargets(const Batch& batch,
                     std::span<const Values> states,
                     std::span<const Values> successors,
                     std::span<PlanTargets> out);

struct DuelingLoss {
  double loss_return =
      0;  // Sum over entries of weight * Huber(error), divided by the number of states.
  double loss_calls = 0;
};

// Weighted Huber losses (delta 1) of both critics and their derivative.
//   values    [num_states] predictions
//   targets   [entries]
//   gradient  [num_states] d(loss_return + calls_weight * loss_calls) / d values
//   errors    [num_states] |Q_R error| + c |Q_N error|, the largest over the state's entries
DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const Values> values,
                        std::span<const Target> targets,
                        double calls_weight,
                        std::span<Values> gradient,
                        std::span<float> errors);

// The same for the plans: each state's loss is the mean over the plans that learn something from
// it. Adds to the gradient; returns the loss (returns and weighted calls).
double ComputePlanLoss(const Batch& batch,
                       std::span<const Values> values,
                       std::span<const PlanTargets> targets,
                       double calls_weight,
                       std::span<Values> gradient);

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
