#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/envs/babyai/instruction.h"
#include "actors/envs/babyai/room_grid.h"

namespace londi::actors::babyai {

class LevelBuilder;

// How to draw one family of episodes. Immutable, shared by the environments that play it.
struct Level {
  std::string name;  // As in "babyai/<name>".
  RoomGridShape shape;
  int max_steps = 0;  // 0: navigations * room_size^2 * num_rows * num_cols, known after each reset.
  bool unblocking =
      false;  // Missions about the keys of locked doors are rejected (LevelGen's default).
  // Fills the rooms and returns the mission; called anew on fresh rooms after a rejection.
  std::function<Mission(LevelBuilder&)> draw_mission;
};

// The level of an episode. Most environments have one; mixed ones let the seed decide.
using LevelChooser = std::function<std::shared_ptr<const Level>(std::uint64_t seed)>;

}  // namespace londi::actors::babyai
