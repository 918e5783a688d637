#pragma once

#include <memory>

#include "actors/switching/episode_network.h"
#include "core/switcher.h"

namespace londi::actors {

// The learned Switcher, greedy: activates where the network of core/switcher_network.h predicts an
// advantage. Before the first Load it does not activate.
class MlpSwitcher final : public core::Switcher {
 public:
  // Throws core::ProtocolError when the features are not of the width that the weights were made
  // for.
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  // Throws core::ProtocolError for weights of another architecture or of inconsistent shapes; the
  // old ones stay.
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override { network_.StartEpisode(); }

 private:
  EpisodeNetwork network_;
};

}  // namespace londi::actors
