#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace londi::launch {

struct EvalOptions {
  std::filesystem::path run;
  std::optional<double> cost;       // One Switcher cell; without it (and policy) the whole table.
  std::optional<double> budget;     // In the run's unit; unlimited without.
  std::string policy;               // A rule instead of the Switcher.
  std::optional<double> rate;       // Of the rule: what its knob is called, see
  std::optional<double> threshold;  // actors/switching/make_switcher.h.
  std::optional<double> steps;
  std::vector<std::string>
      baselines;  // Of the whole table; empty: what the run's configuration says.
  std::vector<double> average_calls;  // Average budgets of the whole table; empty: likewise.
  bool oracle = false;  // Also the best in hindsight, at the costs and budgets of the Switcher.
  std::optional<std::int64_t> episodes;
  std::optional<std::uint64_t> first_seed;
  std::vector<std::string> sets;
  std::filesystem::path json;
};

// `londi eval`: prints the table; the whole table is also stored in the run folder. Returns the
// exit status; throws core::Error.
int RunEval(const EvalOptions& options);

}  // namespace londi::launch
