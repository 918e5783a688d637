#include "launch/commands/report_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "configs/duration_text.h"
#include "launch/run_folder.h"
#include "launch/time_use.h"
#include "launch/train_run.h"

namespace londi::launch {
namespace {

int Report(const std::filesystem::path& path) {
  const RunFolder folder = OpenRunFolder(path);
  std::ifstream report(folder.report());
  if (report.is_open()) {
    fmt::print("{}", std::string{std::istreambuf_iterator<char>(report), {}});
    return 0;
  }
  const TrainedSoFar trained = ReadTrained(folder);
  fmt::print(
      "# Run {}\n\n"
      "Not evaluated yet (londi eval {}). Trained for {}: {} decisions in {} episodes, {} updates."
      "\n\n## Where the time went\n\n{}",
      folder.path.filename().string(),
      path.string(),
      configs::RoughDuration(trained.time),
      trained.work.decisions,
      trained.work.episodes,
      trained.work.updates,
      DescribeTimeUse(ReadTimeUse(folder.metrics()), trained.time));
  return 0;
}

}  // namespace

void AddReportCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("report", "Print the report of a run, running or ended");
  auto run = std::make_shared<std::string>();
  command->add_option("RUN", *run, "Folder of the run")->required();
  command->callback([run, &chosen] { chosen = [run] { return Report(*run); }; });
}

}  // namespace londi::launch
