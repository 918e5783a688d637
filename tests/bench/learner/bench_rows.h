#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "core/half.h"
#include "core/transition.h"
#include "learner/replay/segment_log.h"

namespace londi::bench {

// Rows as a run in its middle makes them: episodes of 24 steps, a quarter of the steps with a call,
// DEEPTHINK's answer known for three of ten, the LMs agreeing in four of five of those; half of the
// episodes with a budget of 8.
class RowSource {
 public:
  explicit RowSource(int num_features) : features_(static_cast<std::size_t>(num_features)) {
    // Drawing numbers would cost more than what is measured: rows take theirs from one long table.
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < 8 * features_ + 4096; ++i)
      table_.push_back(core::FloatToHalf(normal(random_)));
  }

  // Rows of one actor, one episode after another.
  void Fill(std::span<core::Transition> rows) {
    for (core::Transition& row : rows) Next(row);
  }

 private:
  static constexpr int kSteps = 24;

  void Next(core::Transition& row) {
    if (step_ == kSteps) {
      step_ = 0;
      ++episode_;
      remaining_ = episode_ % 2 == 0 ? core::BudgetGovernor::kUnlimited : 8;
    }
    row.actor = core::ActorId(1);
    row.incarnation = core::Incarnation(1);
    row.sequence = core::Sequence(++sequence_);
    row.episode = core::EpisodeId(episode_);
    row.step = step_;
    row.steps_left = 64 - step_;
    const std::size_t from = random_() % (table_.size() - features_);
    row.features.assign(table_.begin() + static_cast<std::ptrdiff_t>(from),
                        table_.begin() + static_cast<std::ptrdiff_t>(from + features_));
    row.may_activate = remaining_ != 0;
    row.activated = row.may_activate && random_() % 4 == 0;
    const bool asked = row.activated || random_() % 15 == 0;
    row.quick_action = 1;
    row.deepthink_action = asked ? (random_() % 5 == 0 ? std::int16_t{2} : std::int16_t{1})
                                 : core::Transition::kUnknownAction;
    row.cost = 0.01f;
    row.remaining = remaining_;
    row.terminated = ++step_ == kSteps;
    row.reward = row.terminated && random_() % 2 == 0 ? 1.0f : 0.0f;
    if (row.activated && remaining_ > 0) --remaining_;
  }

  const std::size_t features_;
  std::mt19937 random_{1};
  std::vector<std::uint16_t> table_;
  std::int64_t sequence_ = 0;
  std::int64_t episode_ = 0;
  std::int32_t remaining_ = core::BudgetGovernor::kUnlimited;
  std::int32_t step_ = 0;
};

}  // namespace londi::bench
