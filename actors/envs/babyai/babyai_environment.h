#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/envs/babyai/instruction.h"
#include "actors/envs/babyai/level.h"
#include "actors/envs/babyai/room_grid.h"
#include "actors/envs/babyai/world.h"
#include "core/environment.h"

namespace londi::actors::babyai {

struct BabyAiOptions {
  int view_size = 7;  // Cells per side of what the agent sees; odd, kMinViewSize to kMaxViewSize.
  void Validate() const;  // Throws core::ConfigError.
};

// BabyAI-Text: a Minigrid BabyAI level with GLAM's descriptions as observations. Reset(seed) draws
// the level that Minigrid 3.2.0 draws in reset(seed=seed); rewards, flags and step limits are its
// own, too.
//   reward      1 - 0.9 * steps / max_steps on success, else 0
//   terminated  success, or failure in strict levels
//   truncated   the step limit; both flags on a success with the last step
// One episode at a time, one thread. A copy (Clone) shares nothing that changes.
class BabyAiEnvironment final : public core::Environment {
 public:
  explicit BabyAiEnvironment(LevelChooser choose_level, const BabyAiOptions& options = {});

  core::Observation Reset(std::uint64_t seed) override;
  // Throws core::Error for a text that is no action, and when no episode is running.
  core::StepResult Step(std::string_view action) override;
  std::vector<std::string> AdmissibleActions() const override;  // The six texts, always.
  int MaxSteps() const override { return max_steps_; }
  double MaxRewardAhead() const override;  // Of success with the next step.
  std::string Kind()
      const override;  // goto, open, pickup, putnext or sequence: the mission's root.
  std::unique_ptr<core::Environment> Clone() const override;

  // As Step with a text, for callers that know the index.
  core::StepResult Step(Action action);

  // The true state, for the bot, traces and people.
  const RoomGrid& level() const { return level_; }
  const World& world() const { return level_.world; }
  const Mission& mission() const { return mission_; }
  const std::string& mission_text() const { return mission_text_; }
  const View& view() const { return view_; }  // What the agent sees now.
  int num_steps() const { return num_steps_; }
  bool running() const { return running_; }  // From Reset to the step that ends the episode.

 private:
  core::Observation Observe();
  double RewardAfter(int num_steps) const;  // Of success with the last of so many steps.

  LevelChooser choose_level_;
  RoomGrid level_;
  Mission mission_;
  std::string mission_text_;
  View view_;
  int max_steps_ = 0;
  int num_steps_ = 0;
  bool running_ = false;
};

}  // namespace londi::actors::babyai
