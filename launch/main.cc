#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "configs/nearest_name.h"
#include "core/error.h"
#include "launch/child_process.h"
#include "launch/commands/chaos_command.h"
#include "launch/commands/checkpoint_command.h"
#include "launch/commands/command.h"
#include "launch/commands/config_command.h"
#include "launch/commands/device_command.h"
#include "launch/commands/env_command.h"
#include "launch/commands/eval_command.h"
#include "launch/commands/finetune_command.h"
#include "launch/commands/report_command.h"
#include "launch/commands/role_commands.h"
#include "launch/commands/study_command.h"
#include "launch/commands/train_command.h"

namespace londi::launch {
namespace {

using AddCommand = void (*)(CLI::App&, Chosen&);

// Every subcommand, in the order in which `londi --help` shows them.
constexpr AddCommand kCommands[] = {
    AddTrainCommand,
    AddEvalCommand,
    AddReportCommand,
    AddStudyCommand,
    AddCheckpointCommand,
    AddChaosCommand,
    AddFinetuneCommand,
    AddEnvCommand,
    AddPlayCommand,
    AddConfigCommand,
    AddDeviceCommand,
    AddRoleCommands,
};

constexpr int kFailed = 1;                       // Something went wrong while it ran.
constexpr int kMisunderstood = kStatusHopeless;  // Command line, configuration or model are wrong.

int PrintError(const core::Error& error, int status) {
  fmt::print(stderr, "londi: {}\n", error.what());
  return status;
}

// For what is done to files and folders without a check of its own, because it hardly ever fails.
core::IoError ToIoError(const std::filesystem::filesystem_error& error) {
  return core::IoError({.what = "cannot use " + error.path1().string(),
                        .why = error.code().message(),
                        .fix = "see that nothing else lies in its place and that londi may write "
                               "there; then give the same command again"});
}

// A wrong command line, said the way londi says errors.
int PrintUsageError(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::string why = error.what();
  std::string fix = "see `londi --help`";
  for (const CLI::App* command : app.get_subcommands()) {
    fix = fmt::format("see `londi {} --help`", command->get_name());
  }
  if (app.get_subcommands().empty() && argc > 1) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
    }
    why = fmt::format("there is no command '{}'", argv[1]);
    const std::string nearest = configs::NearestName(argv[1], names);
    if (!nearest.empty()) fix = fmt::format("did you mean `londi {}`? See `londi --help`", nearest);
  }
  fmt::print(stderr, "londi: the command line is not understood\n  why: {}\n  fix: {}\n", why, fix);
  return kMisunderstood;
}

int Main(int argc, char** argv) {
  CLI::App app(
      "londi learns when to call a large language model: a Switcher, trained by reinforcement\n"
      "learning, lets the small LM (QUICK) act and calls the large one (DEEPTHINK) where it pays.",
      "londi");
  app.require_subcommand(1);
  app.set_version_flag("--version", "londi " LONDI_VERSION);
  app.footer("Begin with: londi train configs/babyai_text.yaml");
  Chosen chosen;
  for (const AddCommand add : kCommands) add(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return PrintUsageError(app, error, argc, argv);
  }
  return chosen();
}

}  // namespace
}  // namespace londi::launch

int main(int argc, char** argv) {
  using namespace londi;
  try {
    return launch::Main(argc, argv);
  } catch (const core::ConfigError& error) {
    return launch::PrintError(error, launch::kMisunderstood);
  } catch (const core::ModelError& error) {
    return launch::PrintError(error, launch::kMisunderstood);
  } catch (const core::Error& error) {
    return launch::PrintError(error, launch::kFailed);
  } catch (const std::filesystem::filesystem_error& error) {
    return launch::PrintError(launch::ToIoError(error), launch::kFailed);
  } catch (const std::exception& error) {
    fmt::print(
        stderr,
        "londi: {}\n  why: an unexpected error\n  fix: please report it with the command line "
        "and the run folder's logs\n",
        error.what());
    return launch::kFailed;
  }
}
