#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace londi::launch {

struct WholeRunOptions {
  std::filesystem::path config;   // Empty: defaults, or that of the resumed run.
  std::filesystem::path resume;   // Folder of a run to go on with; empty: a new run.
  std::vector<std::string> sets;  // "section.key=value" on top.
  bool in_process = false;
  bool evaluate = true;
};

// Exit status of a run that a person ended with Ctrl-C, as shells count it.
inline constexpr int kStatusInterrupted = 130;

// `londi train`: makes or opens the run folder, trains, evaluates, reports. Returns the exit
// status; throws core::Error.
int RunWhole(const WholeRunOptions& options);

}  // namespace londi::launch
