#include "actors/switching/rules.h"

#include "actors/switcher_features.h"

namespace londi::actors {

core::SwitchChoice RandomSwitcher::Choose(const core::SwitcherInput&) {
  const bool activate = random_.Uniform() < rate_;
  return {.activate = activate, .behaviour_prob = static_cast<float>(activate ? rate_ : 1 - rate_)};
}

core::SwitchChoice EntropySwitcher::Choose(const core::SwitcherInput& input) {
  return {.activate = GetScalar(input.features, Scalar::kEntropy) > threshold_};
}

}  // namespace londi::actors
