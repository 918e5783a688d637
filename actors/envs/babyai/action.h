#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace londi::actors::babyai {

// Minigrid's actions; the value is Minigrid's index.
enum class Action : std::uint8_t {
  kTurnLeft = 0,
  kTurnRight = 1,
  kGoForward = 2,
  kPickUp = 3,
  kDrop = 4,
  kToggle = 5,
  kDone = 6,  // Exists in Minigrid and does nothing; never offered to an agent.
};

// BabyAI-Text's six actions, index = Minigrid's index.
inline constexpr std::array<std::string_view, 6> kActionTexts = {
    "turn left", "turn right", "go forward", "pick up", "drop", "toggle"};

// Text of one of the six; kDone has none and must not be asked for.
inline std::string_view ActionText(Action action) {
  return kActionTexts[static_cast<std::size_t>(action)];
}

// nullopt: not one of the six texts.
std::optional<Action> ParseAction(std::string_view text);

}  // namespace londi::actors::babyai
