#include "launch/commands/env_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "actors/envs/babyai/play.h"
#include "actors/envs/babyai/trace.h"
#include "actors/envs/make_environment.h"

namespace londi::launch {
namespace {

void AddEnvironmentOptions(CLI::App& command, actors::EnvironmentOptions& options) {
  command.add_option(
      "--kind", options.kind, "Mixed levels: goto, pickup, open, putnext, sequence or mixed");
  command.add_option("--num-distractors", options.num_distractors, "Mixed levels: objects besides");
  command.add_option("--view-size", options.view_size, "Cells per side of the agent's view")
      ->capture_default_str();
}

int List() {
  for (const std::string& name : actors::EnvironmentNames()) fmt::print("{}\n", name);
  return 0;
}

int Trace(const actors::babyai::TraceOptions& options) {
  const auto summary = actors::babyai::WriteTrace(options, std::cout);
  if (summary.expert_gave_up) fmt::print(stderr, "the expert gave up here\n");
  return 0;
}

int PlayEpisodes(const actors::babyai::PlayOptions& options) {
  const int won = actors::babyai::Play(options, std::cin, std::cout);
  fmt::print("episodes won: {}\n", won);
  return 0;
}

void AddTrace(CLI::App& parent, Chosen& chosen) {
  CLI::App* trace = parent.add_subcommand(
      "trace", "Play one episode and print a JSON line per step, for comparison with Minigrid");
  auto options = std::make_shared<actors::babyai::TraceOptions>();
  trace->add_option("ENVIRONMENT", options->environment, "For example babyai/GoToLocal")
      ->required();
  trace->add_option("--seed", options->seed, "Seed of the episode")->capture_default_str();
  CLI::Option* actions =
      trace->add_option("--actions", options->actions_file, "File with one action per line");
  trace->add_option("--policy", options->policy, "bot, or random:SEED")->excludes(actions);
  AddEnvironmentOptions(*trace, options->environment_options);
  trace->callback([options, &chosen] { chosen = [options] { return Trace(*options); }; });
}

}  // namespace

void AddEnvCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("env", "List environments and trace their episodes");
  command->require_subcommand(1);
  CLI::App* list = command->add_subcommand("list", "Names of all environments");
  list->callback([&chosen] { chosen = List; });
  AddTrace(*command, chosen);
}

void AddPlayCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("play", "Act in an environment yourself, in the terminal");
  auto options = std::make_shared<actors::babyai::PlayOptions>();
  command->add_option("ENVIRONMENT", options->environment, "For example babyai/GoToLocal")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Seed of the first episode")->capture_default_str();
  AddEnvironmentOptions(*command, options->environment_options);
  command->add_flag("!--no-map", options->show_map, "Show only the words that an LM gets");
  command->callback([options, &chosen] { chosen = [options] { return PlayEpisodes(*options); }; });
}

}  // namespace londi::launch
