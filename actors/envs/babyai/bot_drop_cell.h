#pragma once

#include <optional>

#include "actors/envs/babyai/bot_map.h"

namespace londi::actors::babyai {

// A near cell to drop something on, other than `except`, which will hold an object soon. Prefers
// cells where the object would cut nothing off, then any empty one, then the same with blockers
// moved away. nullopt: there is none.
// Source: baby_ai_bot.py, _find_drop_pos.
std::optional<Position> FindDropCell(BotMap& map, std::optional<Position> except = std::nullopt);

}  // namespace londi::actors::babyai
