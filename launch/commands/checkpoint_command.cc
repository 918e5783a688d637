#include "launch/commands/checkpoint_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "configs/run_config.h"
#include "launch/run_folder.h"
#include "learner/checkpoint.h"

namespace londi::launch {
namespace {

void Print(const learner::CheckpointSummary& checkpoint) {
  const std::string name = checkpoint.folder.filename().string();
  if (!checkpoint.problem.empty()) {
    fmt::print("{}  {} bytes  TORN: {}\n", name, checkpoint.bytes, checkpoint.problem);
    return;
  }
  fmt::print("{}  {} bytes  whole  update {}  weights v{}  {} with {} numbers  {} rows up to {}\n",
             name,
             checkpoint.bytes,
             checkpoint.updates,
             checkpoint.weights.value,
             checkpoint.architecture,
             checkpoint.parameters,
             checkpoint.replay_rows,
             checkpoint.replay_end);
}

int Inspect(const std::filesystem::path& run) {
  const RunFolder folder = OpenRunFolder(run);
  const auto checkpoints = learner::InspectCheckpoints(folder.checkpoints());
  if (checkpoints.empty()) {
    fmt::print("no checkpoints in {}\n", folder.checkpoints().string());
    return 0;
  }
  for (const learner::CheckpointSummary& checkpoint : checkpoints) Print(checkpoint);
  const auto restored = std::find_if(checkpoints.begin(), checkpoints.end(), [](const auto& each) {
    return each.problem.empty();
  });
  if (restored == checkpoints.end()) {
    fmt::print("none of them can be restored\n");
    return 1;
  }
  fmt::print("restored would be {}\n", restored->folder.filename().string());
  for (const std::string& difference : learner::ConfigDifferences(
           restored->config, configs::ToLines(configs::LoadRunConfig(folder.config(), {})))) {
    fmt::print("differs from {}: {}\n", folder.config().filename().string(), difference);
  }
  return restored == checkpoints.begin() ? 0 : 1;
}

}  // namespace

void AddCheckpointCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("checkpoint", "Look at the checkpoints of a run");
  command->require_subcommand(1);
  CLI::App* inspect =
      command->add_subcommand("inspect",
                              "List them, newest first: update, size, architecture, whether it is "
                              "whole; what a restore would find changed");
  auto run = std::make_shared<std::string>();
  inspect->add_option("RUN", *run, "Folder of the run")->required();
  inspect->callback([run, &chosen] { chosen = [run] { return Inspect(*run); }; });
}

}  // namespace londi::launch
