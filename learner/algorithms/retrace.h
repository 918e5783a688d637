#pragma once

#include <span>
#include <vector>

#include "learner/algorithms/dueling_loss.h"
#include "learner/batch.h"

namespace londi::learner {

// Which policy targets are about, and how far they trust what was recorded.
struct RetraceOptions {
  double lambda = 0;       // 0..1
  double temperature = 0;  // Task reward, >= 0; see ActivationProbOf.
};

// The policy: P(g = 1) = sigmoid(advantage / temperature), with 0 the greedy one, where a call is
// legal; 0 where it is not, and for a NaN.
float ActivationProbOf(const Values& values,
                       const Context& context,
                       double temperature,
                       std::int32_t least_per_call = 1);

// Targets of both critics by RetraceTarget, one for each entry.
//   chosen_by, valued_by  [num_successors] values that the policy follows, and those that are
//   believed
std::vector<Target> MakeRetraceTargets(const Batch& batch,
                                       std::span<const Values> chosen_by,
                                       std::span<const Values> valued_by,
                                       const RetraceOptions& options);

}  // namespace londi::learner
