#include "launch/commands/config_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "configs/finetune_config.h"
#include "configs/run_config.h"

namespace londi::launch {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> sets;
  bool finetune = false;
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

int PrintFinetune(const Arguments& arguments) {
  configs::FinetuneConfig config;
  if (!arguments.file.empty()) {
    config = configs::LoadFinetuneConfig(arguments.file, arguments.sets);
  }
  configs::OptionTable table;
  configs::Bind(config, table);
  for (const std::string& set : arguments.sets) table.Set(set);
  Print(table, "finetuning", arguments.yaml);
  return 0;
}

int Run(const Arguments& arguments) {
  const std::string& file = arguments.file;
  if (arguments.finetune || (!file.empty() && configs::HasSection(file, "finetune"))) {
    return PrintFinetune(arguments);
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
  print->add_option("FILE",
                    arguments->file,
                    "Configuration of a run, or of a finetuning; without it defaults are shown");
  print->add_flag("--finetune", arguments->finetune, "The options of `londi finetune`");
  print->add_option("--set", arguments->sets, "section.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  print->add_flag("--yaml", arguments->yaml, "Print as a configuration file");
  print->callback([arguments, &chosen] { chosen = [arguments] { return Run(*arguments); }; });
}

}  // namespace londi::launch
