#include "launch/eval_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "actors/evaluation_report.h"
#include "configs/run_config.h"
#include "core/error.h"
#include "launch/evaluate_run.h"
#include "launch/local_lms.h"
#include "launch/report.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "launch/terminal.h"
#include "launch/train_run.h"
#include "launch/whole_run.h"
#include "launch/wiring.h"

namespace londi::launch {
namespace {

bool IsRule(const std::string& policy) {
  return std::ranges::count(actors::BaselineKinds(), policy) > 0;
}

// The rule that --policy names, with what turns its knob.
actors::SwitcherOptions RuleOf(const EvalOptions& options) {
  if (!IsRule(options.policy)) {
    throw core::ConfigError({.what = fmt::format("--policy {} is not understood", options.policy),
                             .why = fmt::format("there are always-quick, always-deepthink, {}",
                                                fmt::join(actors::BaselineKinds(), ", ")),
                             .fix = "for example --policy random --rate 0.2"});
  }
  const actors::Knob* knob = actors::FindKnob(options.policy);
  const std::map<std::string_view, std::optional<double>> given = {
      {"rate", options.rate}, {"threshold", options.threshold}, {"steps", options.steps}};
  actors::SwitcherOptions rule{.kind = options.policy};
  if (knob == nullptr) return rule;
  const std::optional<double> value = given.at(knob->name);
  if (!value) {
    throw core::ConfigError(
        {.what = fmt::format("--policy {} without --{}", options.policy, knob->name),
         .why = "that says how often it calls DEEPTHINK",
         .fix = fmt::format("add --{0}, or let `--baselines {1}` find it", knob->name, rule.kind)});
  }
  rule.*knob->value = *value;
  return rule;
}

// The configuration's changes, --baselines, --average-calls and --oracle among them.
std::vector<std::string> SetsOf(const EvalOptions& options) {
  std::vector<std::string> sets = options.sets;
  if (!options.baselines.empty())
    sets.push_back(fmt::format("evaluation.baselines=[{}]", fmt::join(options.baselines, ", ")));
  if (!options.average_calls.empty()) {
    sets.push_back(
        fmt::format("evaluation.average_calls=[{}]", fmt::join(options.average_calls, ", ")));
  }
  if (options.oracle) sets.push_back("evaluation.oracle=true");
  return sets;
}

// nullopt: the whole table is wanted.
std::optional<actors::EvaluationCell> CellOf(const EvalOptions& options,
                                             const core::BudgetMeter& meter) {
  constexpr std::int32_t kUnlimited = core::BudgetGovernor::kUnlimited;
  const std::int32_t budget = options.budget ? meter.Ticks(*options.budget) : kUnlimited;
  const auto metered = [&](actors::EvaluationCell cell) {
    cell.terms.meter = meter;
    return cell;
  };
  if (options.policy.empty()) {
    if (!options.cost && options.budget) {
      throw core::ConfigError({.what = "--budget without --cost",
                               .why = "the Switcher chooses by cost and budget",
                               .fix = "add --cost, for example --cost 0.05"});
    }
    if (!options.cost) return std::nullopt;
    return metered(actors::SwitcherCell(*options.cost, budget));
  }
  if (options.policy == "always-quick") return actors::AlwaysQuickCell();
  if (options.policy == "always-deepthink") return actors::AlwaysDeepthinkCell();
  return metered(actors::RuleCell(RuleOf(options), budget));
}

// Throws for an option that changes nothing: who gave it expects a row that this would not be.
// After CellOf, which knows the policies.
void RefuseUnread(const EvalOptions& options) {
  const bool is_rule = IsRule(options.policy), is_switcher = options.policy.empty();
  const actors::Knob* knob = is_rule ? actors::FindKnob(options.policy) : nullptr;
  const auto turns = [&](std::string_view name) { return knob != nullptr && knob->name == name; };
  const struct {
    std::string_view name;
    bool is_given, is_read;
  } all[] = {{"cost", options.cost.has_value(), is_switcher},
             {"budget", options.budget.has_value(), is_switcher || is_rule},
             {"rate", options.rate.has_value(), turns("rate")},
             {"threshold", options.threshold.has_value(), turns("threshold")},
             {"steps", options.steps.has_value(), turns("steps")},
             {"baselines", !options.baselines.empty(), is_switcher && !options.cost},
             {"average-calls", !options.average_calls.empty(), is_switcher && !options.cost},
             {"oracle", options.oracle, is_switcher}};
  for (const auto& option : all) {
    if (!option.is_given || option.is_read) continue;
    throw core::ConfigError(
        {.what = fmt::format("--{} has no effect here", option.name),
         .why = is_switcher ? fmt::format("{} does not depend on it",
                                          options.cost ? "the Switcher at one cost" : "the table")
                            : fmt::format("--policy {} does not depend on it", options.policy),
         .fix = fmt::format("leave --{} out; `londi eval --help` says what belongs together",
                            option.name)});
  }
}

std::vector<actors::EvaluationCell> WithOracle(const actors::EvaluationCell& cell,
                                               const EvalOptions& options,
                                               const configs::RunConfig& config) {
  std::vector<actors::EvaluationCell> cells = {cell};
  if (options.oracle) {
    actors::EvaluationCell& best = cells.emplace_back(
        actors::HindsightCell(config.evaluation.hindsight, cell.terms.cost, cell.terms.budget));
    best.terms.meter = cell.terms.meter;
  }
  return cells;
}

actors::EvaluationOptions EpisodesOf(const EvalOptions& options,
                                     actors::EvaluationOptions evaluation) {
  if (options.episodes) {
    evaluation.episodes = evaluation.min_episodes = *options.episodes;
    evaluation.time = {};
  }
  if (options.first_seed) evaluation.first_seed = *options.first_seed;
  evaluation.Validate();
  return evaluation;
}

}  // namespace

int RunEval(const EvalOptions& options) {
  Signals signals;
  Terminal terminal;
  const RunFolder folder = OpenRunFolder(options.run);
  configs::RunConfig config = configs::LoadRunConfig(folder.config(), SetsOf(options));
  config.evaluation.options = EpisodesOf(options, config.evaluation.options);
  const auto cell = CellOf(options, config.actor.terms.meter());
  RefuseUnread(options);
  // The whole table is written into the folder: not while a training goes on in it.
  std::optional<RunLock> lock;
  if (!cell) lock.emplace(folder);
  const core::SystemClock clock;
  monitor::Metrics metrics;
  const monitor::Logger logger = monitor::MakeLogger(
      {.role = "eval", .file = folder.logs() / "eval.log", .console_level = "warn"});
  const auto weights = LoadTrainedSwitcher(folder, config, logger);
  LocalLms lms(config, metrics, logger);
  const EvaluateParts parts{.config = config,
                            .quick = lms.quick(),
                            .deepthink = lms.deepthink(),
                            .weights = weights,
                            .make_environment = MakeEnvironmentFactory(config.environment),
                            .signals = signals,
                            .clock = clock,
                            .terminal = terminal,
                            .check_lms = [&lms] { lms.ThrowIfFailed(); }};
  const auto results =
      cell ? EvaluateCells(WithOracle(*cell, options, config), config.evaluation.options, parts)
           : EvaluatePlan(config.evaluation, parts);
  if (results.empty() || results.front().rows.empty()) return kStatusInterrupted;
  terminal.Say("\n" + ResultsText(results));
  if (!cell) WriteResults(folder, config, ReadTrained(folder), results);
  if (!options.json.empty()) {
    WriteFileAtomically(options.json, actors::ToJson(results, ReferenceCell(results), true));
  }
  return signals.num_stop_requests() > 0 ? kStatusInterrupted : 0;
}

}  // namespace londi::launch
