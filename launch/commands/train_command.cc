#include "launch/commands/train_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "launch/whole_run.h"

namespace londi::launch {

void AddTrainCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "train", "Train the Switcher, evaluate it on unseen episodes, write a report");
  auto options = std::make_shared<WholeRunOptions>();
  CLI::Option* config = command->add_option(
      "CONFIG", options->config, "Configuration, for example configs/babyai_text.yaml");
  command->add_option("--resume", options->resume, "Go on with the run in this folder")
      ->excludes(config);
  command->add_option("--set", options->sets, "section.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  command->add_flag(
      "--in-process", options->in_process, "All roles as threads of one process, without sockets");
  command->add_flag("!--no-evaluation", options->evaluate, "End after training");
  command->footer(
      "Makes the folder runs/NAME-TIME with the resolved configuration, logs, metrics, "
      "checkpoints,\n"
      "transitions, evaluation.json and report.md. Ctrl-C ends it cleanly; --resume goes on.");
  command->callback([options, &chosen] { chosen = [options] { return RunWhole(*options); }; });
}

}  // namespace londi::launch
