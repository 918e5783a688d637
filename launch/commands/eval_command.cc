#include "launch/commands/eval_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "actors/switching/make_switcher.h"
#include "launch/commands/number_check.h"
#include "launch/eval_run.h"

namespace londi::launch {

void AddEvalCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand(
      "eval", "Evaluate a run's Switcher on unseen episodes, the whole table or one cell of it");
  auto options = std::make_shared<EvalOptions>();
  command->add_option("RUN", options->run, "Folder of the run")->required();
  command->add_option("--cost", options->cost, "Only the Switcher at this cost per DEEPTHINK call")
      ->check(NumberBetween(0, 1e9));
  command
      ->add_option("--budget",
                   options->budget,
                   "... with at most so many calls, or of actor.terms.budget_unit, per episode")
      ->check(NumberBetween(0, 1e9));
  command->add_option("--policy",
                      options->policy,
                      "Instead of the Switcher: always-quick, always-deepthink, or a rule, " +
                          fmt::format("{}", fmt::join(actors::BaselineKinds(), ", ")));
  command->add_option("--rate", options->rate, "Calls per step of a --policy by the clock")
      ->check(NumberBetween(0, 1));
  command->add_option("--threshold", options->threshold, "... above which one by a threshold calls")
      ->check(NumberBetween(0, 1e9));
  command->add_option("--steps", options->steps, "... in which --policy first or last calls")
      ->check(NumberBetween(0, 1e9));
  command
      ->add_option(
          "--baselines",
          options->baselines,
          "Rules in the whole table, matched to the Switcher's call rate: random,entropy,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--average-calls",
                   options->average_calls,
                   "In the whole table also the Switcher at the cost at which it makes so many "
                   "calls per episode on average: 2,4,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_flag("--oracle",
                    options->oracle,
                    "Also the best in hindsight, at the Switcher's costs and budgets (it sees the "
                    "future)");
  command->add_option("--episodes", options->episodes, "Episodes, without a time limit")
      ->check(NumberBetween(1, 1e9));
  command->add_option("--first-seed", options->first_seed, "Seed of the first episode");
  command->add_option("--set", options->sets, "section.key=value on top; repeatable")
      ->allow_extra_args(false);
  command->add_option("--json", options->json, "Also write all numbers to this file");
  command->callback([options, &chosen] { chosen = [options] { return RunEval(*options); }; });
}

}  // namespace londi::launch
