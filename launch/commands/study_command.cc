#include "launch/commands/study_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "launch/study/study_run.h"

namespace londi::launch {

void AddStudyCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "study", "Train and evaluate many runs, variants times seeds, and compare them");
  auto options = std::make_shared<StudyOptions>();
  command
      ->add_option("CONFIG",
                   options->config,
                   "What is compared, for example configs/studies/babyai_text.yaml")
      ->required();
  command->add_option("--set", options->sets, "study.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--only-report",
                    options->only_report,
                    "Tables and plots of what is there; nothing is trained or evaluated");
  command->footer(
      "Makes study.folder/study.name with report.md, results.csv, results.json, plots (SVG), and "
      "a\n"
      "folder per run. However it ends, the same command goes on where it stopped.");
  command->callback([options, &chosen] { chosen = [options] { return RunStudy(*options); }; });
}

}  // namespace londi::launch
