#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/switcher.h"

namespace londi::testing {

// Chooses what `choose` says, and remembers what it was told.
class FakeSwitcher final : public core::Switcher {
 public:
  using ChooseFunction = std::function<core::SwitchChoice(const core::SwitcherInput&)>;

  explicit FakeSwitcher(std::same_as<bool> auto activate)
      : choose_([activate](const core::SwitcherInput&) {
          return core::SwitchChoice{.activate = activate, .behaviour_prob = 0.25f};
        }) {}
  explicit FakeSwitcher(ChooseFunction choose) : choose_(std::move(choose)) {}

  core::SwitchChoice Choose(const core::SwitcherInput& input) override {
    inputs.push_back({{input.features.begin(), input.features.end()},
                      input.cost,
                      input.remaining,
                      input.steps_left});
    return choose_(input);
  }
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override { loaded = weights; }
  void StartEpisode() override { ++episodes; }

  struct Input {
    std::vector<float> features;
    float cost;
    float remaining;
    std::int32_t steps_left;
  };
  std::vector<Input> inputs;
  std::shared_ptr<const core::WeightsSnapshot> loaded;
  int episodes = 0;

 private:
  const ChooseFunction choose_;
};

}  // namespace londi::testing
