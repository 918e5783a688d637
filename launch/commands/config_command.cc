#include "launch/commands/config_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "configs/run_config.h"

namespace londi::launch {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> sets;
  bool yaml = false;
};

int Print(const Arguments& arguments) {
  configs::RunConfig config = configs::LoadRunConfig(arguments.file, arguments.sets);
  if (arguments.yaml) {
    fmt::print("{}", configs::ToYaml(config));
    return 0;
  }
  configs::OptionTable table;
  configs::Bind(config, table);
  fmt::print(
      "Options of a run: key = value, meaning [limits]. In a file they stand as\n"
      "  section:\n    key: value\nand on the command line as --set section.key=value.\n{}",
      table.Describe());
  return 0;
}

}  // namespace

void AddConfigCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("config", "Show and check configurations");
  command->require_subcommand(1);
  CLI::App* print =
      command->add_subcommand("print", "Print every option with value, unit and limits");
  auto arguments = std::make_shared<Arguments>();
  print->add_option("FILE", arguments->file, "Configuration; without it the defaults are shown");
  print->add_option("--set", arguments->sets, "section.key=value on top of the file; repeatable")
      ->allow_extra_args(false);
  print->add_flag("--yaml", arguments->yaml, "Print as a configuration file");
  print->callback([arguments, &chosen] { chosen = [arguments] { return Print(*arguments); }; });
}

}  // namespace londi::launch
