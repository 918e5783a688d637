#include "actors/switching/schedule_rules.h"

#include <cmath>

namespace londi::actors {

core::SwitchChoice RandomBlockSwitcher::Choose(const core::SwitcherInput& input) {
  if (left_ > 0) {
    --left_;
    return {.activate = held_.activate};
  }
  left_ = kBlock - 1;
  return held_ = draw_.Choose(input);
}

core::SwitchChoice EveryKSwitcher::Choose(const core::SwitcherInput&) {
  const auto activations = [&](std::int64_t decisions) {
    return std::round(static_cast<double>(decisions) * rate_);
  };
  ++step_;
  return {.activate = activations(step_) > activations(step_ - 1)};
}

core::SwitchChoice FirstSwitcher::Choose(const core::SwitcherInput&) {
  return {.activate = static_cast<double>(++step_) <= steps_};
}

core::SwitchChoice LastSwitcher::Choose(const core::SwitcherInput& input) {
  return {.activate = static_cast<double>(input.steps_left) <= steps_};
}

}  // namespace londi::actors
