#include "configs/run_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "configs/bind.h"
#include "configs/duration_text.h"
#include "core/error.h"

namespace londi::configs {
namespace {

void BindRun(RunOptions& run, OptionTable& table) {
  table.Section("run", "The run as a whole");
  table.Add("run.name", run.name, {.meaning = "Names the run folder"});
  table.Add(
      "run.seed", run.seed, {.meaning = "Seed of training episodes, exploration and learner"});
  table.Add("run.folder", run.folder, {.meaning = "Run folders are made in this folder"});
  table.Add("run.rows_from",
            run.rows_from,
            {.meaning = "Learn from the rows of this run, or of the newest in this folder, and act "
                        "not at all; empty = act"});
  table.Add("run.duration",
            run.duration,
            {.meaning = "Training ends after this time", .min = 1, .max = 30 * 24 * 3600});
  table.Add("run.max_decisions",
            run.max_decisions,
            {.meaning = "Training ends after so many decisions; 0 = no limit",
             .unit = "decisions",
             .min = 0});
  table.Add("run.lock_step",
            run.lock_step,
            {.meaning = "Actors and learner take turns, in one process: so many updates, then as "
                        "many rows as belong to them. The same seed gives the same numbers. 0 = "
                        "all work at once, each in its own process",
             .unit = "updates",
             .min = 0});
  table.Add("run.num_actors",
            run.num_actors,
            {.meaning = "Actor processes", .unit = "processes", .min = 1, .max = 1024});
  table.Add("run.learner_threads",
            run.learner_threads,
            {.meaning = "Threads of the learner's matrix products", .min = 1, .max = 1024});
  table.Add("run.restarts",
            run.restarts,
            {.meaning = "How often each role is restarted after a failure before the job ends",
             .unit = "restarts",
             .min = 0,
             .max = 1000});
  table.Add("run.drain",
            run.drain,
            {.meaning = "Roles get this long to finish and hand over before they are killed",
             .min = 1,
             .max = 3600});
  table.Add("run.heartbeat",
            run.heartbeat,
            {.meaning = "Roles renew their lease this often", .min = 0.05, .max = 60});
  table.Add("run.lease",
            run.lease,
            {.meaning =
                 "A role whose work stands still for so long gets nothing to do any more; after as "
                 "long again it is restarted",
             .min = 0.2,
             .max = 3600});
  table.Add("run.startup",
            run.startup,
            {.meaning = "A role that does not work so long after its start is restarted: LMs take "
                        "their time to load",
             .min = 1,
             .max = 24 * 3600});
  table.Add("run.metrics_every",
            run.metrics_every,
            {.meaning = "metrics.jsonl gets a line per role this often", .min = 0.1, .max = 3600});
  table.Add("run.log_level",
            run.log_level,
            {.meaning = "How much the logs say",
             .choices = {"trace", "debug", "info", "warn", "error", "off"}});
  table.Add("run.interface",
            run.interface,
            {.meaning = "IPv4 address of the one interface that sockets are bound to; without "
                        "transport.security one of 127.0.0.0/8"});
}

void BindTransport(transport::TransportOptions& transport, OptionTable& table) {
  table.Section("transport", "How the processes of a run talk to each other");
  table.AddEnum("transport.security",
                transport.security,
                {{"curve", transport::Security::kCurve}, {"none", transport::Security::kNone}},
                {.meaning = "curve: encrypted, only with the run's keys; none: open to every user "
                            "of this machine, on 127.0.0.0/8 only"});
  table.AddEnum("transport.spool",
                transport.spool,
                {{"memory", transport::SpoolKind::kMemory}, {"disk", transport::SpoolKind::kDisk}},
                {.meaning = "Where rows are that the learner has not acknowledged; disk: they "
                            "survive the actor"});
}

// nullopt: no IPv4 address of one interface.
std::optional<std::uint32_t> ParseInterface(const std::string& address) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1 || parsed.s_addr == INADDR_ANY)
    return std::nullopt;
  return ntohl(parsed.s_addr);
}

void ValidateInterface(const std::string& interface, transport::Security security) {
  const std::string what = fmt::format("run.interface is '{}'", interface);
  const auto address = ParseInterface(interface);
  if (!address) {
    throw core::ConfigError(
        {.what = what,
         .why = "sockets are bound to one interface, named by its IPv4 address, never to all",
         .fix = "set run.interface to 127.0.0.1, or to this machine's address in the cluster"});
  }
  if (security == transport::Security::kNone && *address >> 24 != 127) {
    throw core::ConfigError(
        {.what = what,
         .why = "transport.security is none: sockets neither encrypt nor ask who connects, so only "
                "this machine may reach them",
         .fix = "set run.interface to 127.0.0.1, or transport.security to curve"});
  }
}

bool LearnsDisagreement(const learner::AlgorithmOptions& algorithm) {
  return algorithm.name == "dqn" && algorithm.dqn.disagreement_width > 0;
}

// Else the error came from the first weights, or from the evaluation after the training; and an
// episode that explores by it would call everywhere.
void ValidateDisagreement(const RunConfig& config) {
  const learner::AlgorithmOptions& algorithm = config.learner.algorithm;
  if (LearnsDisagreement(algorithm)) return;
  const std::string rule = "disagreement";
  const auto& baselines = config.evaluation.baselines;
  std::string asks;
  if (std::ranges::find(baselines, rule) != baselines.end()) {
    asks = "disagreement is one of evaluation.baselines";
  } else if (config.actor.switcher.kind == rule) {
    asks = "actor.switcher is disagreement";
  } else if (config.actor.exploration.disagreement > 0) {
    asks =
        fmt::format("actor.exploration.disagreement is {}", config.actor.exploration.disagreement);
  } else {
    return;
  }
  throw core::ConfigError(
      {.what =
           asks + (algorithm.name == "dqn" ? " although learner.dqn.disagreement_width is 0"
                                           : " although learner.algorithm is " + algorithm.name),
       .why = "that asks the part of the network that learns where the LMs disagree",
       .fix = "do without it, or train with learner.algorithm = dqn and "
              "learner.dqn.disagreement_width = 128"});
}

// Else that came to light after the training.
void ValidateBudgets(const RunConfig& config) {
  const core::BudgetUnit unit = config.actor.terms.budget_unit;
  const EvaluationPlan& plan = config.evaluation;
  if (unit != core::BudgetUnit::kCalls && plan.oracle && !plan.budgets.empty()) {
    throw core::ConfigError(
        {.what = fmt::format("evaluation.oracle is set with budgets of {}", core::UnitName(unit)),
         .why = "the search for the best in hindsight knows budgets of calls only",
         .fix = "set evaluation.budgets to [], or evaluation.oracle to false"});
  }
  const std::string& algorithm = config.learner.algorithm.name;
  if (unit != core::BudgetUnit::kCalls && algorithm != "dqn") {
    throw core::ConfigError(
        {.what = fmt::format(
             "budgets count {} although learner.algorithm is {}", core::UnitName(unit), algorithm),
         .why = "it learns from which choice was made, and a call that is refused as too dear was "
                "none",
         .fix = "set learner.algorithm to dqn, or actor.terms.budget_unit to calls"});
  }
  const double labels = config.actor.exploration.labels;
  if (unit != core::BudgetUnit::kCalls && labels > 0 && config.run.rows_from.empty()) {
    throw core::ConfigError(
        {.what = fmt::format("budgets count {} although actor.exploration.labels is {}",
                             core::UnitName(unit),
                             labels),
         .why = "DEEPTHINK, asked for labels, has most of an episode's prompt computed already, so "
                "that rows would say that calls take a part of what they do",
         .fix = "set actor.exploration.labels to 0, or actor.terms.budget_unit to calls"});
  }
}

// Else DEEPTHINK, which is what is dear, would be asked for answers that nobody reads.
void ValidateLabels(const RunConfig& config) {
  const double labels = config.actor.exploration.labels;
  const learner::AlgorithmOptions& algorithm = config.learner.algorithm;
  const bool none_asked = labels == 0 || !config.run.rows_from.empty();
  if (none_asked || LearnsDisagreement(algorithm) || config.learner.batch.agreement_rows) return;
  std::string fix = "set actor.exploration.labels to 0";
  if (!learner::IsOnPolicy(algorithm.name)) fix += ", or learner.agreement_rows to true";
  throw core::ConfigError(
      {.what = fmt::format("actor.exploration.labels is {} although nothing learns from labels",
                           labels),
       .why = "a label says whether the LMs agree; learner.agreement_rows is false, and the part "
              "that learns where they disagree is there only with learner.algorithm = dqn and "
              "learner.dqn.disagreement_width above 0",
       .fix = fix});
}

// What is begun for the same numbers is not to end with others.
void ValidateLockStep(const RunConfig& config) {
  if (config.run.lock_step == 0) return;
  const auto refuse = [&](std::string what, std::string why, std::string fix) {
    throw core::ConfigError(
        {.what = fmt::format("run.lock_step is {} although {}", config.run.lock_step, what),
         .why = std::move(why),
         .fix = std::move(fix)});
  };
  if (!config.run.rows_from.empty()) {
    refuse("run.rows_from is set",
           "nobody acts then, so there is nobody to take turns with",
           "set one of them only");
  }
  if (learner::IsOnPolicy(config.learner.algorithm.name)) {
    refuse("learner.algorithm is " + config.learner.algorithm.name,
           "it waits for whole rollouts, and a turn's end may fall into one",
           "set run.lock_step to 0, or learner.algorithm to dqn or sac");
  }
  if (config.learner.max_updates == 0) {
    refuse("learner.max_updates is 0",
           "an end by the clock comes after another number of updates each time",
           "set learner.max_updates, and run.duration to more time than they need");
  }
  if (config.evaluation.options.threads != 1) {
    refuse(fmt::format("evaluation.threads is {}", config.evaluation.options.threads),
           "which prompts share a forward pass then depends on the machine, and the last digit of "
           "a score on that",
           "set evaluation.threads to 1");
  }
}

// An algorithm that learns about the policy that acted needs that policy to act.
void ValidateOnPolicy(const RunConfig& config) {
  const std::string& algorithm = config.learner.algorithm.name;
  if (!learner::IsOnPolicy(algorithm)) return;
  if (!config.run.rows_from.empty()) {
    throw core::ConfigError(
        {.what = fmt::format("run.rows_from is set although learner.algorithm is {}", algorithm),
         .why = "it learns about the policy that acted, and the rows of a former run were acted by "
                "another",
         .fix = "leave run.rows_from empty, or take an algorithm that learns from a replay: dqn or "
                "sac"});
  }
  const actors::ExplorationOptions& exploration = config.actor.exploration;
  const std::pair<const char*, double> shares[] = {
      {"exploration.always_quick", exploration.always_quick},
      {"exploration.always_deepthink", exploration.always_deepthink},
      {"exploration.random_rate", exploration.random_rate},
      {"exploration.takeover", exploration.takeover},
      {"exploration.disagreement", exploration.disagreement},
      {"branching.share", config.actor.branching.share}};
  for (const auto& [key, share] : shares) {
    if (share == 0) continue;
    throw core::ConfigError(
        {.what =
             fmt::format("actor.{} is {} although learner.algorithm is {}", key, share, algorithm),
         .why = "it learns about the policy that acted, and in these episodes another one acts",
         .fix = fmt::format("set actor.{} to 0: the policy explores by itself", key)});
  }
}

// Other algorithms learn from the task's own reward, and two episodes of a task would be played for
// nothing.
void ValidateBoundaries(const RunConfig& config) {
  const std::int32_t rollouts = config.actor.boundaries.rollouts;
  const std::string& algorithm = config.learner.algorithm.name;
  if (rollouts == 0 || learner::IsOnPolicy(algorithm)) return;
  throw core::ConfigError(
      {.what = fmt::format(
           "actor.boundaries.rollouts is {} although learner.algorithm is {}", rollouts, algorithm),
       .why =
           "only an algorithm that learns about the policy that acted takes its returns relative "
           "to those of the boundary policies",
       .fix = "set actor.boundaries.rollouts to 0, or learner.algorithm to ppo"});
}

// A branched episode's copy begins in its middle, and neither its Switcher nor the learner knows
// the rows before.
void ValidateMemory(const RunConfig& config) {
  if (config.learner.algorithm.memory_window() == 0 || config.actor.branching.share == 0) return;
  throw core::ConfigError(
      {.what = fmt::format("actor.branching.share is {} although learner.dqn.memory.width is {}",
                           config.actor.branching.share,
                           config.learner.algorithm.dqn.memory.width),
       .why = "copies of an episode begin in its middle, so that nothing before it is remembered",
       .fix = "set actor.branching.share to 0, or learner.dqn.memory.width to 0"});
}

}  // namespace

void EvaluationPlan::Validate() const {
  if (costs.empty()) {
    throw core::ConfigError(
        {.what = "evaluation.costs is empty",
         .why = "the Switcher is evaluated at a cost, and the rules are matched to the first one",
         .fix = "name at least one, for example --set evaluation.costs=[0.02]"});
  }
  for (const double calls : average_calls) {
    if (calls > 0) continue;
    throw core::ConfigError({.what = fmt::format("evaluation.average_calls has {:g}", calls),
                             .why = "an average budget is a number of calls above 0",
                             .fix = "take it out; always-quick is in the table anyway"});
  }
  options.Validate();
  calibration.Validate();
  hindsight.Validate();
}

actors::EnvironmentOptions EnvironmentChoice::options() const {
  actors::EnvironmentOptions options{.kind = kind, .view_size = view_size};
  if (num_distractors >= 0) options.num_distractors = num_distractors;
  return options;
}

void RunConfig::Validate() const {
  if (run.lease < 3 * run.heartbeat) {
    throw core::ConfigError({.what = "run.lease is shorter than three heartbeats",
                             .why = "one late heartbeat would end a healthy role",
                             .fix = "raise run.lease or lower run.heartbeat"});
  }
  if (actor.drain > run.drain) {
    throw core::ConfigError(
        {.what = fmt::format("actor.drain is {} although run.drain is {}",
                             DurationText(actor.drain),
                             DurationText(run.drain)),
         .why = "an actor that has not ended within run.drain is killed, with the rows that it was "
                "still handing over",
         .fix = "raise run.drain, or lower actor.drain"});
  }
  ValidateInterface(run.interface, transport.security);
  static_cast<void>(actors::MakeEnvironment(environment.id, environment.options()));
  for (const LmChoice* lm : {&quick, &deepthink}) lm->load.Validate();
  batching.Validate();
  actor.Validate();
  evaluation.Validate();
  learner.Validate();
  ValidateBudgets(*this);
  ValidateDisagreement(*this);
  ValidateLabels(*this);
  ValidateLockStep(*this);
  ValidateOnPolicy(*this);
  ValidateBoundaries(*this);
  ValidateMemory(*this);
  transition_log.Validate();
}

void Bind(RunConfig& config, OptionTable& table) {
  BindRun(config.run, table);
  BindEnvironment(config.environment, table);
  BindLms(config, table);
  BindBatching(config.batching, table);
  BindActor(config.actor, table);
  BindLearner(config.learner, table);
  BindTransitionLog(config.transition_log, table);
  BindTransport(config.transport, table);
  BindEvaluation(config.evaluation, table);
}

RunConfig LoadRunConfig(const std::filesystem::path& file, const std::vector<std::string>& sets) {
  RunConfig config;
  OptionTable table;
  Bind(config, table);
  if (!file.empty()) table.ReadFile(file);
  for (const std::string& set : sets) table.Set(set);
  config.Validate();
  return config;
}

std::string ToYaml(const RunConfig& config) {
  RunConfig copy = config;
  OptionTable table;
  Bind(copy, table);
  return table.ToYaml();
}

std::vector<std::string> ToLines(const RunConfig& config) {
  RunConfig copy = config;
  OptionTable table;
  Bind(copy, table);
  std::vector<std::string> lines;
  for (const std::string& key : table.Keys()) lines.push_back(key + " = " + table.Value(key));
  return lines;
}

}  // namespace londi::configs
