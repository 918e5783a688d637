#pragma once

#include <cstdint>
#include <span>

#include "learner/batch.h"

namespace londi::learner {

// What the network says about one state; the order of the heads in its output.
struct HeadValues {
  float return_value = 0;
  float return_advantage = 0;
  float calls_value = 0;
  float calls_advantage = 0;

  float Return(bool activate) const {
    return return_value + (activate ? 0.5f : -0.5f) * return_advantage;
  }
  float Calls(bool activate) const {
    return calls_value + (activate ? 0.5f : -0.5f) * calls_advantage;
  }
  // Whether the greedy policy activates at this cost, if it may. A NaN never does, a tie stays with
  // QUICK.
  bool WantsActivation(float cost) const { return return_advantage - cost * calls_advantage > 0; }
};
static_assert(sizeof(HeadValues) == 4 * sizeof(float));

// Where an entry's target continues, decided by the online network's heads of the successors.
struct Bootstrap {
  Horizon horizon;
  std::int32_t successor = -1;  // -1 = terminal
  bool activate = false;        // a*: the legal greedy choice there.
};

//   successors [num_successors]
// Fills out [entries].
void ChooseBootstraps(const Batch& batch,
                      std::span<const HeadValues> successors,
                      std::span<Bootstrap> out);

struct Target {
  float return_value = 0;
  float calls_value = 0;
};

struct DuelingLoss {
  double loss_return =
      0;  // Sum over entries of weight * Huber(error), divided by the number of states.
  double loss_calls = 0;
};

// Weighted Huber losses (delta 1) of both critics and their derivative.
//   heads     [num_states] predictions
//   targets   [entries]
//   gradient  [num_states] d(loss_return + calls_weight * loss_calls) / d heads
//   errors    [num_states] |Q_R error| + c |Q_N error|, the largest over the state's entries
DuelingLoss ComputeLoss(const Batch& batch,
                        std::span<const HeadValues> heads,
                        std::span<const Target> targets,
                        double calls_weight,
                        std::span<HeadValues> gradient,
                        std::span<float> errors);

// Weighted cross-entropy (nats) of the states in which DEEPTHINK was asked, divided by the number
// of states, and its derivative.
//   logits    [num_states] of d
//   gradient  [num_states]
double ComputeDisagreementLoss(const Batch& batch,
                               std::span<const float> logits,
                               std::span<float> gradient);

}  // namespace londi::learner
