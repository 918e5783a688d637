#include "launch/commands/config_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "configs/finetune_config.h"
#include "configs/run_config.h"
#include "configs/study_config.h"

namespace londi::launch {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> sets;
  bool finetune = false;
  bool study = false;
  bool yaml = false;
};

void Print(const configs::OptionTable& table, const char* purpose, bool yaml) {
  if (yaml) return fmt::print("{}", table.ToYaml());
  fmt::print(
      "Options of a {}: key = value, meaning [limits]. In a file they stand as\n"
      "  section:\n    key: value\nand on the command line as --set section.key=value.\n{}",
      purpose,
      table.Describe());
}

// What a file of this kind says, or the defaults where there is none: they need not be valid.
template <class Config>
int PrintOptions(const Arguments& arguments,
                 Config (*load)(const std::filesystem::path&, const std::vector<std::string>&),
                 const char* printed_by,
                 const char* purpose) {
  Config config;
  if (!arguments.file.empty()) config = load(arguments.file, arguments.sets);
  configs::OptionTable table(printed_by);
  configs::Bind(config, table);
  for (const std::string& set : arguments.sets) table.Set(set);
  Print(table, purpose, arguments.yaml);
  return 0;
}

int Run(const Arguments& arguments) {
  const std::string& file = arguments.file;
  const auto is_about = [&file](const char* section) {
    return !file.empty() && configs::HasSection(file, section);
  };
  if (arguments.finetune || is_about("finetune")) {
    return PrintOptions(
        arguments, configs::LoadFinetuneConfig, configs::kPrintFinetuneOptions, "finetuning");
  }
  if (arguments.study || is_about("study")) {
    return PrintOptions(arguments, configs::LoadStudyConfig, configs::kPrintStudyOptions, "study");
  }
  configs::RunConfig config = configs::LoadRunConfig(file, arguments.sets);
  configs::OptionTable table;
  configs::Bind(config, table);
  Print(table, "run", arguments.yaml);
  return 0;
}

}  // namespace

void AddConfigCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("config", "Show and check configurations");
  command->require_subcommand(1);
  CLI::App* print =
      command->add_subcommand("print", "Print every option with value, unit and limits");
  auto arguments = std::make_shared<Arguments>();
  print->add_option(
      "FILE",
      arguments->file,
      "Configuration of a run, a finetuning or a study; without it defaults are shown");
  auto* finetune =
      print->add_flag("--finetune", arguments->finetune, "The options of `londi finetune`");
  print->add_flag("--study", arguments->study, "The options of `londi study`")->excludes(finetune);
  print->add_option("--set", arguments->sets, "section.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  print->add_flag("--yaml", arguments->yaml, "Print as a configuration file");
  print->callback([arguments, &chosen] { chosen = [arguments] { return Run(*arguments); }; });
}

}  // namespace londi::launch
