#include "launch/commands/chaos_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "launch/chaos_run.h"
#include "launch/commands/number_check.h"

namespace londi::launch {
namespace {

struct Arguments {
  std::filesystem::path target;
  double minutes = 1;
  double every = 5;
  ChaosRunOptions options;
};

int Chaos(Arguments arguments) {
  ChaosRunOptions& options = arguments.options;
  const bool is_run = std::filesystem::is_directory(arguments.target);
  (is_run ? options.run.resume : options.run.config) = arguments.target;
  options.chaos.duration = std::chrono::round<std::chrono::seconds>(
      std::chrono::duration<double>(60 * arguments.minutes));
  options.chaos.every =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(arguments.every));
  return RunChaos(options);
}

}  // namespace

void AddChaosCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("chaos",
                                         "Train while roles are killed, paused, hung, cut off and "
                                         "out of disk, then check what must hold");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("TARGET",
                   arguments->target,
                   "Configuration of a new run, or the folder of an ended run to go on with")
      ->required();
  command->add_option("--seed", arguments->options.chaos.seed, "The same acts for the same seed");
  command->add_option("--minutes", arguments->minutes, "How long it trains under attack")
      ->check(NumberBetween(0.08, 10080));
  command->add_option("--every", arguments->every, "Mean seconds between two acts")
      ->check(NumberBetween(0.1, 3600));
  command->add_option("--set", arguments->options.run.sets, "section.key=value; repeatable")
      ->allow_extra_args(false);
  command->footer("Ends with status 1 when an invariant does not hold. See docs/reliability.md.");
  command->callback([arguments, &chosen] { chosen = [arguments] { return Chaos(*arguments); }; });
}

}  // namespace londi::launch
