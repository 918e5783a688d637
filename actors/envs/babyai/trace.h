#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "actors/envs/make_environment.h"

namespace londi::actors::babyai {

struct TraceOptions {
  std::string environment;  // E.g. "babyai/GoToLocal".
  EnvironmentOptions environment_options;
  std::uint64_t seed = 0;
  // Exactly one of the two.
  std::string
      actions_file;  // One action per line: its text or its index 0 to 5; empty lines are skipped.
  std::string policy;  // "bot", or "random:SEED": default_rng(SEED).integers(0, 6) for each step.
};

// How a trace ended.
struct TraceSummary {
  int num_steps = 0;
  bool done = false;            // The episode ended; otherwise the actions did.
  bool expert_gave_up = false;  // Policy bot only.
};

// Plays one episode and writes one JSON object per line, the first for the reset (action null):
//   mission, step, action, reward, terminated, truncated, text (list), direction (0 right, 1 down,
//   2 left, 3 up), image (Minigrid's obs["image"].tobytes() as hex: column, row, channel)
// Throws core::ConfigError for bad options and core::IoError for an unreadable file.
TraceSummary WriteTrace(const TraceOptions& options, std::ostream& out);

}  // namespace londi::actors::babyai
