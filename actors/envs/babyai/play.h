#pragma once

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>

#include "actors/envs/babyai/world.h"
#include "actors/envs/make_environment.h"

namespace londi::actors::babyai {

struct PlayOptions {
  std::string environment = "babyai/MixedTrain";
  EnvironmentOptions environment_options;
  std::uint64_t seed = 0;  // Of the first episode; the next ones count up.
  bool show_map = true;    // false: only the words that an LM gets.
};

// The map, two characters per cell: ## wall, >> the agent; objects are their letter (K key, O ball,
// B box, D closed door, L locked door, _ open door) and their colour's (r g b p y, e = grey). One
// line per row.
std::string DrawMap(const World& world);

// A person plays, one line of input per action, until the input ends or says q. Returns the
// episodes won. Throws core::ConfigError for bad options.
int Play(const PlayOptions& options, std::istream& in, std::ostream& out);

}  // namespace londi::actors::babyai
