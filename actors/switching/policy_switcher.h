#pragma once

#include <memory>

#include "actors/switching/snapshot_layers.h"
#include "core/switcher.h"

namespace londi::actors {

// Forward pass of the network in core/policy_network.h without LibTorch.
class PolicyNetwork : private SnapshotLayers {
 public:
  PolicyNetwork() = default;  // Empty: nothing may be evaluated.
  // Throws core::ProtocolError for another architecture or inconsistent shapes.
  explicit PolicyNetwork(std::shared_ptr<const core::WeightsSnapshot> weights);

  using SnapshotLayers::is_empty;
  using SnapshotLayers::Scratch;
  using SnapshotLayers::version;

  // The logit of g = 1. Throws core::ProtocolError when the features are not of the width that the
  // weights were made for.
  float Evaluate(const core::SwitcherInput& input, Scratch& scratch) const;

 private:
  Tower trunk_;
  Linear logit_;
};

// The learned Switcher where a stochastic policy was learned: says with which probability it
// activates, and does the likelier; a tie and a NaN stay with QUICK. Before the first Load it does
// not activate.
class PolicySwitcher final : public core::Switcher {
 public:
  // Throws like PolicyNetwork::Evaluate.
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  // Throws like PolicyNetwork's constructor; the old weights stay.
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override {}

 private:
  PolicyNetwork network_;
  PolicyNetwork::Scratch scratch_;
};

}  // namespace londi::actors
