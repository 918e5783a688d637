#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/weights.h"
#include "learner/batch.h"

namespace londi::learner {

struct UpdateResult {
  std::vector<float> errors;  // [num_states] new priorities: |error of Q_R| + c |error of Q_N|, the
                              // larger of both choices.
  double loss_return = 0;  // Mean weighted Huber loss of each critic; sac: of both, costs included.
  double loss_calls = 0;
  double loss_gains = 0;         // Of the branched rows' gains, 0 without branching.
  double loss_conservative = 0;  // What CQL adds, 0 without.
  double loss_disagreement = 0;  // Cross-entropy of where the LMs disagree, nats.
  double loss_policy = 0;        // Of a stochastic policy (sac): mean of minus its soft values.
  double policy_entropy = 0;     // Its mean entropy, nats.
  double mean_target_return = 0;
  double gradient_norm = 0;  // Before clipping.
  bool skipped = false;      // The gradient was not finite: nothing was changed.

  // Where the time went.
  std::int64_t rows_forward = 0;  // That went through a network without a gradient.
  double targets_ms = 0;          // Forward passes over successors, and targets from their values.
  double forward_ms = 0;          // Over states.
  double backward_ms = 0;         // Losses and gradients.
  double optimizer_ms = 0;        // Clipping, Adam, the target network.
};

// All that an algorithm must remember across a restart.
struct AlgorithmState {
  std::string architecture;
  std::vector<core::NamedArray> arrays;
  std::map<std::string, std::int64_t> counters;

  std::int64_t Counter(const std::string& name) const;  // 0 where there is none.
};

// A rule that improves the Switcher's network from batches of rows. One thread.
class Algorithm {
 public:
  virtual ~Algorithm() = default;

  // One gradient step.
  virtual UpdateResult Update(const Batch& batch) = 0;

  // How much of the run is behind, 0..1: what the step size goes by. 0 until it is said.
  void set_progress(double progress) { progress_ = progress; }

  // The acting network as it is now.
  virtual std::shared_ptr<const core::WeightsSnapshot> Export(
      core::WeightsVersion version) const = 0;

  virtual int num_features() const = 0;  // Of the rows it learns from.

  virtual AlgorithmState Save() const = 0;
  // Throws core::ModelError when the state is of another architecture or shape; nothing has changed
  // then.
  virtual void Restore(const AlgorithmState& state) = 0;

 protected:
  double progress() const { return progress_; }

 private:
  double progress_ = 0;
};

// Throws core::ModelError, naming both, when `state` is of another architecture.
void RequireArchitecture(const AlgorithmState& state, std::string_view architecture);

}  // namespace londi::learner
