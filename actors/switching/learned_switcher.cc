#include "actors/switching/learned_switcher.h"

#include <utility>

#include "core/policy_network.h"

namespace londi::actors {

core::SwitchChoice LearnedSwitcher::Choose(const core::SwitcherInput& input) {
  return loaded_->Choose(input);
}

void LearnedSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  core::Switcher& reader = weights->architecture == core::policy_network::kArchitecture
                               ? static_cast<core::Switcher&>(policy_)
                               : critics_;
  reader.Load(std::move(weights));
  loaded_ = &reader;
}

}  // namespace londi::actors
