#include "launch/commands/role_commands.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "launch/commands/number_check.h"
#include "launch/roles/roles.h"

namespace londi::launch {
namespace {

struct Arguments {
  std::string run;
  std::string tier = "quick";
  int index = 0;
};

constexpr const char* kGroup = "Single processes of a run (started by `londi train`)";

std::shared_ptr<Arguments> AddRole(CLI::App& app,
                                   Chosen& chosen,
                                   const std::string& name,
                                   const std::string& description,
                                   const std::function<int(const Arguments&)>& run) {
  CLI::App* command = app.add_subcommand(name, description)->group(kGroup);
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--run", arguments->run, "Folder of the run")->required();
  if (name == "inference") {
    command->add_option("--tier", arguments->tier, "Whose LM it serves")
        ->required()
        ->check(CLI::IsMember({"quick", "deepthink"}));
  }
  if (name == "inference" || name == "actor") {
    command->add_option("--index", arguments->index, "Number of the process, from 0")
        ->check(NumberBetween(0, 1e6));
  }
  command->callback([arguments, run, &chosen] { chosen = [=] { return run(*arguments); }; });
  return arguments;
}

}  // namespace

void AddRoleCommands(CLI::App& app, Chosen& chosen) {
  AddRole(app, chosen, "coordinator", "Registry, leases, epoch, progress", [](const Arguments& a) {
    return RunCoordinator(a.run);
  });
  AddRole(app, chosen, "inference", "Serves an LM of one tier", [](const Arguments& a) {
    return RunInference(
        a.run, a.tier == "quick" ? core::Tier::kQuick : core::Tier::kDeepthink, a.index);
  });
  AddRole(app, chosen, "actor", "Acts out episodes", [](const Arguments& a) {
    return RunActor(a.run, a.index);
  });
  AddRole(app, chosen, "learner", "Trains the Switcher", [](const Arguments& a) {
    return RunLearner(a.run);
  });
}

}  // namespace londi::launch
