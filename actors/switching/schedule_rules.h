#pragma once

#include <cstdint>

#include "actors/switching/rules.h"

// Rules that look at the clock only: what timing without sight is worth (algorithms.md 3.1, items 3
// and 4).
namespace londi::actors {

// Random per contiguous block: one draw at probability `rate` holds for kBlock decisions, so that
// DEEPTHINK gets to do several steps in a row, as it does under a learned Switcher.
// behaviour_prob is that of the draw at a block's first decision, 1 at the others.
class RandomBlockSwitcher final : public Rule {
 public:
  static constexpr int kBlock = 5;  // Decisions.

  RandomBlockSwitcher(double rate, std::uint64_t seed) : draw_(rate, seed) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void StartEpisode() override { left_ = 0; }

 private:
  RandomSwitcher draw_;
  core::SwitchChoice held_;
  int left_ = 0;  // Decisions that still repeat held_.
};

// Every k-th decision, k = 1 / rate: n decisions have round(n rate) activations, spread evenly, for
// every n. The first of them comes in the middle of the first k.
class EveryKSwitcher final : public Rule {
 public:
  explicit EveryKSwitcher(double rate) : rate_(rate) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void StartEpisode() override { step_ = 0; }

 private:
  double rate_;
  std::int64_t step_ = 0;  // Decisions made.
};

// First-B: the first `steps` decisions.
class FirstSwitcher final : public Rule {
 public:
  explicit FirstSwitcher(double steps) : steps_(steps) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void StartEpisode() override { step_ = 0; }

 private:
  double steps_;
  std::int64_t step_ = 0;  // Decisions made.
};

// Last-B: while at most `steps` steps are left before truncation. An episode that is solved before
// has fewer.
class LastSwitcher final : public Rule {
 public:
  explicit LastSwitcher(double steps) : steps_(steps) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override;

 private:
  double steps_;
};

}  // namespace londi::actors
