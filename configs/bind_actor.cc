#include "configs/bind.h"

namespace londi::configs {
namespace {

constexpr double kForever = 24 * 3600;

void BindTerms(actors::TermsOptions& terms, OptionTable& table) {
  table.Add("actor.terms.zero_cost",
            terms.zero_cost,
            {.meaning = "Share of training episodes with cost 0", .min = 0, .max = 1});
  table.Add(
      "actor.terms.min_cost",
      terms.min_cost,
      {.meaning = "Smallest cost of a DEEPTHINK call in training", .unit = "reward", .min = 1e-9});
  table.Add(
      "actor.terms.max_cost",
      terms.max_cost,
      {.meaning = "Largest cost of a DEEPTHINK call in training", .unit = "reward", .min = 1e-9});
  table.Add("actor.terms.max_budget",
            terms.max_budget,
            {.meaning = "Largest budget of a training episode, in calls or what typical calls cost",
             .unit = "calls",
             .min = 0,
             .max = 1e6});
  table.AddEnum("actor.terms.budget_unit",
                terms.budget_unit,
                {{"calls", core::BudgetUnit::kCalls},
                 {"tokens", core::BudgetUnit::kTokens},
                 {"gflops", core::BudgetUnit::kGflops},
                 {"milliseconds", core::BudgetUnit::kMilliseconds}},
                {.meaning = "What budgets count of DEEPTHINK's answers: calls, computed tokens, "
                            "1e9 floating point operations, or their share of forward passes"});
  table.Add("actor.terms.call_price",
            terms.call_price,
            {.meaning = "... of a typical call, in that unit: the Switcher sees the budget in such "
                        "calls; 0 with calls",
             .min = 0,
             .max = 1e9});
  table.Add("actor.terms.worst_call",
            terms.worst_call,
            {.meaning = "Of milliseconds: what no call exceeds. So much is reserved for each, and "
                        "the budget holds as long as that is true; 0 with other units",
             .unit = "ms",
             .min = 0,
             .max = 1e9});
  table.Add("actor.terms.unlimited",
            terms.unlimited,
            {.meaning = "Share of training episodes without a budget", .min = 0, .max = 1});
}

void BindExploration(actors::ExplorationOptions& exploration, OptionTable& table) {
  table.Add("actor.exploration.epsilon_base",
            exploration.epsilon_base,
            {.meaning = "Epsilon of the boldest episodes", .min = 1e-6, .max = 1});
  table.Add("actor.exploration.epsilon_power",
            exploration.epsilon_power,
            {.meaning = "The most careful episodes have base^(1 + power)", .min = 0, .max = 100});
  table.Add("actor.exploration.always_quick",
            exploration.always_quick,
            {.meaning = "Share of episodes that never call DEEPTHINK", .min = 0, .max = 1});
  table.Add("actor.exploration.always_deepthink",
            exploration.always_deepthink,
            {.meaning = "Share of episodes that always call it", .min = 0, .max = 1});
  table.Add(
      "actor.exploration.random_rate",
      exploration.random_rate,
      {.meaning = "Share of episodes that call it at a constant random rate", .min = 0, .max = 1});
  table.Add("actor.exploration.takeover",
            exploration.takeover,
            {.meaning = "Share of episodes that call it to the end from a random step on",
             .min = 0,
             .max = 1});
  table.Add("actor.exploration.disagreement",
            exploration.disagreement,
            {.meaning = "Share of episodes that call it where the LMs probably disagree, above a "
                        "random threshold",
             .min = 0,
             .max = 1});
  table.Add(
      "actor.exploration.labels",
      exploration.labels,
      {.meaning = "Share of the decisions without a call, in episodes without a budget, in which "
                  "DEEPTHINK is asked all the same, only to learn where the LMs agree",
       .min = 0,
       .max = 1});
}

}  // namespace

void BindEnvironment(EnvironmentChoice& environment, OptionTable& table) {
  table.Section("environment", "What the LMs act in");
  table.Add("environment.id",
            environment.id,
            {.meaning = "Name of the environment", .choices = actors::EnvironmentNames()});
  table.Add("environment.kind",
            environment.kind,
            {.meaning = "Mixed levels: goto, pickup, open, putnext, sequence or mixed"});
  table.Add("environment.num_distractors",
            environment.num_distractors,
            {.meaning = "Mixed levels: further objects; -1 = the level's own number",
             .unit = "objects",
             .min = -1,
             .max = 64});
  table.Add("environment.view_size",
            environment.view_size,
            {.meaning = "BabyAI: cells per side of the agent's view", .min = 3, .max = 31});
}

void BindActor(actors::ActorOptions& actor, OptionTable& table) {
  table.Section("actor", "Acts out episodes and sends what happened to the learner");
  table.Add("actor.episodes",
            actor.episodes,
            {.meaning = "Concurrent episodes of each actor process",
             .unit = "episodes",
             .min = 1,
             .max = 1024});
  table.Add("actor.switcher",
            actor.switcher.kind,
            {.meaning = "What decides about calls", .choices = actors::SwitcherKinds()});
  table.Add(
      "actor.switcher_rate",
      actor.switcher.rate,
      {.meaning = "Calls per decision of random, random-block and every-k", .min = 0, .max = 1});
  table.Add("actor.switcher_threshold",
            actor.switcher.threshold,
            {.meaning = "entropy and sequence-prob (nats), margin and disagreement (0 to 1) call "
                        "above it",
             .min = 0});
  table.Add(
      "actor.switcher_steps",
      actor.switcher.steps,
      {.meaning = "first and last call in so many steps of an episode", .unit = "steps", .min = 0});
  BindExploration(actor.exploration, table);
  table.Add(
      "actor.branching.share",
      actor.branching.share,
      {.meaning = "Share of training episodes that are acted out greedily and copied to play out "
                  "the other choice, too; where environments can be copied",
       .min = 0,
       .max = 1});
  table.Add("actor.branching.rate",
            actor.branching.rate,
            {.meaning = "Share of their decisions that are copied", .min = 0, .max = 1});
  table.Add(
      "actor.boundaries.rollouts",
      actor.boundaries.rollouts,
      {.meaning = "Training tasks are acted out by always QUICK and by always DEEPTHINK first, and "
                  "so often by the policy then, which learns from how much better it was than the "
                  "better of the two (ppo only); 0 = without boundaries",
       .unit = "episodes",
       .min = 0,
       .max = 1024});
  BindTerms(actor.terms, table);
  table.Add("actor.lm_timeout",
            actor.lm_timeout,
            {.meaning = "An LM's answer is waited for this long", .min = 0.001, .max = kForever});
  table.Add("actor.max_failed_episodes",
            actor.max_failed_episodes,
            {.meaning = "Episodes in a row that may fail for want of an LM", .min = 1});
  table.Add(
      "actor.drain",
      actor.drain,
      {.meaning = "At the end rows reach the learner within it", .min = 0.001, .max = kForever});
}

void BindEvaluation(EvaluationPlan& plan, OptionTable& table) {
  table.Section("evaluation", "Policies compared on unseen episodes at the end of a run");
  table.Add("evaluation.costs",
            plan.costs,
            {.meaning = "The Switcher is evaluated at these costs; the first is the one the rules "
                        "are matched to",
             .unit = "reward",
             .min = 0});
  table.Add("evaluation.budgets",
            plan.budgets,
            {.meaning = "... and at these budgets, in the unit of actor.terms.budget_unit, at the "
                        "first cost",
             .min = 0});
  table.Add(
      "evaluation.average_calls",
      plan.average_calls,
      {.meaning = "... and at the trained cost at which it makes so many calls per episode on "
                  "average, found on calibration episodes",
       .unit = "calls",
       .min = 0});
  table.Add("evaluation.baselines",
            plan.baselines,
            {.meaning = "Rules it is compared with, at its own call rate where they can be matched",
             .choices = actors::BaselineKinds()});
  table.Add("evaluation.cap_baselines",
            plan.cap_baselines,
            {.meaning = "... also under each of the budgets, matched anew"});
  table.Add(
      "evaluation.oracle",
      plan.oracle,
      {.meaning = "... and with the best plan of each episode in hindsight, at the Switcher's "
                  "costs and budgets"});
  table.Add("evaluation.oracle_nodes",
            plan.hindsight.max_nodes,
            {.meaning = "States per episode that are searched for it, at most",
             .unit = "states",
             .min = 1});
  table.Add("evaluation.episodes",
            plan.options.episodes,
            {.meaning = "Unseen episodes per policy, at most",
             .unit = "episodes",
             .min = 1,
             .max = static_cast<double>(actors::kNumEvaluationSeeds)});
  table.Add("evaluation.min_episodes",
            plan.options.min_episodes,
            {.meaning = "... and at least, whatever the time", .unit = "episodes", .min = 1});
  table.Add("evaluation.time",
            plan.options.time,
            {.meaning = "No new episodes after it; 0s = no limit", .min = 0, .max = kForever});
  table.Add("evaluation.remembered_answers",
            plan.remembered_answers,
            {.meaning = "So many answers of each LM are kept for the policies that ask the same; a "
                        "remembered one counts like a fresh one. 0 = every question is computed",
             .unit = "answers",
             .min = 0});
  table.Add("evaluation.threads",
            plan.options.threads,
            {.meaning = "Concurrent episodes", .min = 1, .max = 1024});
  table.Add("evaluation.calibration_episodes",
            plan.calibration.episodes,
            {.meaning = "Episodes per try when a rule is matched or a cost is found",
             .unit = "episodes",
             .min = 1,
             .max = static_cast<double>(actors::kNumCalibrationSeeds)});
}

}  // namespace londi::configs
