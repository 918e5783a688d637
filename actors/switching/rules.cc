#include "actors/switching/rules.h"

namespace londi::actors {

core::SwitchChoice RandomSwitcher::Choose(const core::SwitcherInput&) {
  const bool activate = random_.Uniform() < rate_;
  return {.activate = activate, .behaviour_prob = static_cast<float>(activate ? rate_ : 1 - rate_)};
}

}  // namespace londi::actors
