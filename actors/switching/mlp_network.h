#pragma once

#include <memory>
#include <span>

#include "actors/switching/snapshot_layers.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::actors {

// Forward pass of the network in core/switcher_network.h without LibTorch. Reads the arrays where
// they lie in the snapshot: all Switchers of a process share one copy of the weights.
class MlpNetwork : private SnapshotLayers {
 public:
  MlpNetwork() = default;  // Empty: nothing may be evaluated.
  // Throws core::ProtocolError for another architecture or inconsistent shapes.
  explicit MlpNetwork(std::shared_ptr<const core::WeightsSnapshot> weights);

  using SnapshotLayers::Scratch;

  // inputs [num_inputs()]
  core::switcher_network::Values Evaluate(std::span<const float> inputs, Scratch& scratch) const;
  // The same for what a Switcher is asked.
  //   memory  [memory_width()] after Remember has read the same features
  // Throws core::ProtocolError when the features are not of the width that the weights were made
  // for.
  core::switcher_network::Values Evaluate(const core::SwitcherInput& input,
                                          std::span<const float> memory,
                                          Scratch& scratch) const;

  // Reads one more row into `memory` [memory_width()]; needs a memory. Throws like Evaluate.
  void Remember(std::span<const float> features, std::span<float> memory, Scratch& scratch) const;

  using SnapshotLayers::is_empty;
  bool has_disagreement() const { return !disagreement_.empty(); }
  int memory_width() const { return memory_width_; }    // 0 = none.
  int memory_window() const { return memory_window_; }  // Of MemoryStart.
  int num_inputs() const { return num_inputs_; }        // Features, memory and context.
  using SnapshotLayers::version;

 private:
  float FindWindow() const;

  int num_inputs_ = 0;
  Tower trunk_;
  Linear return_value_, return_gain_, return_shadow_;
  Linear calls_value_, calls_gain_, calls_shadow_;
  Tower disagreement_;  // Empty: d = 1.
  Linear disagreement_logit_;
  int memory_width_ = 0;
  int memory_window_ = 1;
  Linear memory_input_, memory_state_;
};

}  // namespace londi::actors
