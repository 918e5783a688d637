#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace londi::launch {

struct FinetuneRunOptions {
  std::filesystem::path config;
  std::vector<std::string> sets;
  bool resume = false;
};

// Makes an LM folder: trains, shows progress, validates on unseen episodes, writes the model card.
// Returns the exit status. Throws core::Error.
int RunFinetune(const FinetuneRunOptions& options);

}  // namespace londi::launch
