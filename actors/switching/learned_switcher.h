#pragma once

#include <memory>

#include "actors/switching/mlp_switcher.h"
#include "actors/switching/policy_switcher.h"
#include "core/switcher.h"

namespace londi::actors {

// The learned Switcher, whichever algorithm taught it: an MlpSwitcher or a PolicySwitcher, as the
// architecture of the loaded weights says. Before the first Load it does not activate.
class LearnedSwitcher final : public core::Switcher {
 public:
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  // Throws like theirs; the old weights stay.
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override { critics_.StartEpisode(); }

 private:
  MlpSwitcher critics_;
  PolicySwitcher policy_;
  core::Switcher* loaded_ = &critics_;
};

}  // namespace londi::actors
