#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "launch/run_folder.h"

namespace londi::launch {

struct WholeRunOptions {
  std::filesystem::path config;   // Empty: defaults, or that of the resumed run.
  std::filesystem::path resume;   // Folder of a run to go on with; empty: a new run.
  std::vector<std::string> sets;  // "section.key=value" on top.
  bool in_process = false;
  bool evaluate = true;
  // Runs in a thread of its own while the run trains, and is asked to stop when that is over.
  std::function<void(std::stop_token, const RunFolder&)> beside = nullptr;
};

// Exit status of a run that a person ended with Ctrl-C, as shells count it.
inline constexpr int kStatusInterrupted = 130;

// `londi train`: makes or opens the run folder, trains, evaluates, reports. Returns the exit
// status; throws core::Error.
int RunWhole(const WholeRunOptions& options);

}  // namespace londi::launch
