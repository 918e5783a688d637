#pragma once

#include <cstdint>
#include <memory>

#include "actors/random.h"
#include "core/switcher.h"

// Switchers that learn nothing: the baselines (algorithms.md 3.1).
namespace londi::actors {

class NeverSwitcher final : public core::Switcher {
 public:
  core::SwitchChoice Choose(const core::SwitcherInput&) override { return {.activate = false}; }
  void Load(std::shared_ptr<const core::WeightsSnapshot>) override {}
  void StartEpisode() override {}
};

class AlwaysSwitcher final : public core::Switcher {
 public:
  core::SwitchChoice Choose(const core::SwitcherInput&) override { return {.activate = true}; }
  void Load(std::shared_ptr<const core::WeightsSnapshot>) override {}
  void StartEpisode() override {}
};

// Activates with probability `rate`, whatever it sees.
class RandomSwitcher final : public core::Switcher {
 public:
  RandomSwitcher(double rate, std::uint64_t seed) : rate_(rate), random_(seed) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void Load(std::shared_ptr<const core::WeightsSnapshot>) override {}
  void StartEpisode() override {}

 private:
  double rate_;
  Random random_;
};

// Activates where QUICK's entropy over the admissible actions exceeds a threshold (ReDAct's rule,
// arXiv 2604.07036).
class EntropySwitcher final : public core::Switcher {
 public:
  explicit EntropySwitcher(double threshold) : threshold_(threshold) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void Load(std::shared_ptr<const core::WeightsSnapshot>) override {}
  void StartEpisode() override {}

 private:
  double threshold_;  // nats
};

}  // namespace londi::actors
