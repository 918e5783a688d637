#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/environment.h"

namespace londi::actors {

// Choices that some environments leave open; asking one for a choice it does not have is a
// core::ConfigError.
struct EnvironmentOptions {
  std::string kind;  // Mixed levels: goto, pickup, open, putnext, sequence or mixed; "": mixed.
  std::optional<int> num_distractors;  // Mixed levels: 0 is BALROG's setting, 8 GLAM's; nullopt: 8.
  int view_size = 7;                   // BabyAI: cells per side of the agent's view, odd, 3 to 31.
};

// All names that the functions below accept, e.g. "babyai/GoToLocal".
std::vector<std::string> EnvironmentNames();

// Throws core::ConfigError for an unknown name (with the nearest and the known ones) and for bad
// options.
std::unique_ptr<core::Environment> MakeEnvironment(std::string_view id,
                                                   const EnvironmentOptions& options = {});

// Together with its expert, which refers to the environment: keep both, and in this order.
core::EnvironmentWithExpert MakeEnvironmentWithExpert(std::string_view id,
                                                      const EnvironmentOptions& options = {});

}  // namespace londi::actors
