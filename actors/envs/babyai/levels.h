#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/envs/babyai/level.h"

namespace londi::actors::babyai {

// What a caller may choose about a level; only the mixed levels have a choice.
struct LevelOptions {
  std::string kind;                    // See ParseMixedKind; "": the level's own (mixed).
  std::optional<int> num_distractors;  // nullopt: the level's own (8).
};

// Names of all levels, without "babyai/"; the part of a Minigrid id between "BabyAI-" and "-v0".
std::vector<std::string> LevelNames();

// nullopt: no level of that name. Throws core::ConfigError for options that the level does not
// have.
std::optional<LevelChooser> FindLevel(std::string_view name, const LevelOptions& options);

}  // namespace londi::actors::babyai
