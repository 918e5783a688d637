#include "launch/eval_run.h"

#include <fmt/format.h>

#include <optional>

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

// nullopt: the whole table is wanted.
std::optional<actors::EvaluationCell> CellOf(const EvalOptions& options) {
  const std::int32_t budget = options.budget.value_or(core::BudgetGovernor::kUnlimited);
  if (options.policy.empty()) {
    if (!options.cost && options.budget) {
      throw core::ConfigError({.what = "--budget without --cost",
                               .why = "the Switcher chooses by cost and budget",
                               .fix = "add --cost, for example --cost 0.05"});
    }
    return options.cost ? std::optional(actors::SwitcherCell(*options.cost, budget)) : std::nullopt;
  }
  if (options.policy == "always-quick") return actors::AlwaysQuickCell();
  if (options.policy == "always-deepthink") return actors::AlwaysDeepthinkCell();
  if (options.policy == "random" && options.rate) return actors::RandomCell(*options.rate, budget);
  if (options.policy == "entropy" && options.threshold) {
    return actors::EntropyCell(*options.threshold, budget);
  }
  throw core::ConfigError(
      {.what = fmt::format("--policy {} is not understood", options.policy),
       .why = "there are always-quick, always-deepthink, random and entropy; random "
              "needs --rate, entropy needs --threshold",
       .fix = "for example --policy random --rate 0.2"});
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
  configs::RunConfig config = configs::LoadRunConfig(folder.config(), options.sets);
  config.evaluation.options = EpisodesOf(options, config.evaluation.options);
  const auto cell = CellOf(options);
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
  const auto results = cell ? EvaluateCells({*cell}, config.evaluation.options, parts)
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
