#pragma once

#include <cstdint>
#include <memory>

#include "actors/random.h"
#include "core/switcher.h"

// Switchers that learn nothing: the baselines (algorithms.md 3.1). Others lie in schedule_rules.h,
// threshold_switcher.h and swift_sage_switcher.h.
namespace londi::actors {

// A Switcher without weights and, unless it says otherwise, without memory.
class Rule : public core::Switcher {
 public:
  void Load(std::shared_ptr<const core::WeightsSnapshot>) final {}
  void StartEpisode() override {}
};

class NeverSwitcher final : public Rule {
 public:
  core::SwitchChoice Choose(const core::SwitcherInput&) override { return {.activate = false}; }
};

class AlwaysSwitcher final : public Rule {
 public:
  core::SwitchChoice Choose(const core::SwitcherInput&) override { return {.activate = true}; }
};

// Activates with probability `rate`, whatever it sees.
class RandomSwitcher final : public Rule {
 public:
  RandomSwitcher(double rate, std::uint64_t seed) : rate_(rate), random_(seed) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;

 private:
  double rate_;
  Random random_;
};

}  // namespace londi::actors
