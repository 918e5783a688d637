#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "actors/switching/mlp_network.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::actors {

// The network of core/switcher_network.h along an episode: what it evaluates a decision from is the
// decision, and what its memory has read in those before. New weights read the same rows again, so
// that a decision depends on nothing but the episode and the newest weights, as for the learner.
class EpisodeNetwork {
 public:
  // Throws like MlpNetwork's constructor; the old weights stay.
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights);
  void StartEpisode();

  // Once per decision of an episode, whoever makes it, also while is_empty(): then the row is only
  // kept for the weights to come, and the values are those of a network that knows nothing. Throws
  // core::ProtocolError when the features are not of the width that the weights were made for.
  core::switcher_network::Values Evaluate(const core::SwitcherInput& input);

  bool is_empty() const { return network_.is_empty(); }
  const MlpNetwork& network() const { return network_; }

 private:
  std::span<const float> Remember(std::span<const float> features);

  MlpNetwork network_;
  MlpNetwork::Scratch scratch_;

  // Of the episode; nothing is kept where the network has no memory.
  std::deque<std::vector<float>> rows_;  // Features of the steps first_ ..
  int first_ = 0;
  int step_ = 0;               // Of the next decision.
  std::vector<float> memory_;  // After the steps first_ .. read_; empty: nothing was read.
  int read_ = 0;               // One past the newest step that was read.
};

}  // namespace londi::actors
