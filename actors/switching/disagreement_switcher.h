#pragma once

#include <memory>

#include "actors/switching/episode_network.h"
#include "core/switcher.h"

namespace londi::actors {

// The supervised router: activates where DEEPTHINK would probably act otherwise than QUICK, that is
// where d of core/switcher_network.h exceeds a threshold. It looks neither ahead nor at cost and
// budget. A router in the way of RouteLLM, with the LMs' disagreement as labels (algorithms.md 3.1,
// item 7).
class DisagreementSwitcher final : public core::Switcher {
 public:
  explicit DisagreementSwitcher(double threshold) : threshold_(threshold) {}

  // As MlpSwitcher's, without an advantage.
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  // Throws like MlpSwitcher's, and core::ConfigError for weights that were trained without d.
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override { network_.StartEpisode(); }

 private:
  const double threshold_;  // 0..1
  EpisodeNetwork network_;
};

}  // namespace londi::actors
