#include "launch/evaluate_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "actors/caching_language_model.h"
#include "actors/worker_threads.h"
#include "configs/duration_text.h"

namespace londi::launch {
namespace {

constexpr std::chrono::milliseconds kRefresh{250};

// An evaluator whose work runs in a thread of its own, while this one shows progress and listens
// to signals.
class WatchedEvaluator {
 public:
  WatchedEvaluator(const actors::EvaluationOptions& options, const EvaluateParts& parts)
      : options_(options),
        parts_(parts),
        quick_(parts.quick, RememberedAnswers(parts.config)),
        deepthink_(parts.deepthink, RememberedAnswers(parts.config)),
        evaluator_(options,
                   {.make_environment = parts.make_environment,
                    .quick = quick_,
                    .deepthink = deepthink_,
                    .weights = parts.weights,
                    .clock = parts.clock,
                    .on_progress = [this](const auto& progress) { done_ = progress.seeds_done; }}) {
  }

  // Empty after a stop request that came before anything was measured.
  std::vector<actors::CellResult> Run(const std::vector<actors::EvaluationCell>& cells) {
    std::vector<actors::CellResult> results;
    Watch([&] { results = evaluator_.Run(cells); },
          [&](core::Duration elapsed) {
            std::string left;
            if (options_.time.count() > 0 && done_ >= options_.min_episodes) {
              const auto rest = std::max<core::Duration>(options_.time - elapsed, {});
              left = fmt::format(", {} left", configs::RoughDuration(rest));
            }
            return fmt::format("evaluating: {} episodes with each of {} policies{}",
                               done_.load(),
                               cells.size(),
                               left);
          });
    return results;
  }

  std::vector<actors::EvaluationCell> MatchedBaselines(
      const std::vector<std::string>& kinds,
      const actors::EvaluationCell& cell,
      const actors::CalibrationOptions& calibration) {
    std::vector<actors::EvaluationCell> cells;
    Watch([&] { cells = evaluator_.MatchedBaselines(kinds, cell, calibration); },
          [&](core::Duration elapsed) {
            const actors::EpisodeTerms& terms = cell.terms;
            const std::string cap =
                terms.budget < 0
                    ? ""
                    : fmt::format(" under budget {:g}", terms.meter.Amount(terms.budget));
            return fmt::format("matching {} to the Switcher's calls{} ({})",
                               fmt::join(kinds, ", "),
                               cap,
                               configs::RoughDuration(elapsed));
          });
    return cells;
  }

  actors::EvaluationCell AtAverageCalls(double calls,
                                        const actors::CostControllerOptions& control,
                                        const actors::CalibrationOptions& calibration) {
    actors::EvaluationCell cell;
    Watch([&] { cell = evaluator_.AtAverageCalls(calls, control, calibration); },
          [&](core::Duration elapsed) {
            return fmt::format("finding the cost of {:g} calls per episode ({})",
                               calls,
                               configs::RoughDuration(elapsed));
          });
    return cell;
  }

 private:
  void Watch(const std::function<void()>& work,
             const std::function<std::string(core::Duration)>& line) {
    const core::TimePoint started = parts_.clock.Now();
    done_ = 0;
    actors::WorkerThreads thread([this] { evaluator_.RequestStop(); });
    thread.Start("evaluate", work);
    for (core::TimePoint now = started; !thread.WaitUntil(now); now = parts_.clock.Now()) {
      if (parts_.signals.num_stop_requests() > 0) evaluator_.RequestStop();
      parts_.terminal.Progress(line(now - started), now);
      parts_.signals.WaitUntil(now + kRefresh);
      CheckLms();
    }
    CheckLms();  // Before Join: episodes that ended for want of an LM only say that there is none.
    thread.Join();
  }

  static std::size_t RememberedAnswers(const configs::RunConfig& config) {
    return static_cast<std::size_t>(config.evaluation.remembered_answers);
  }

  void CheckLms() const {
    if (parts_.check_lms) parts_.check_lms();
  }

  const actors::EvaluationOptions options_;
  const EvaluateParts& parts_;
  actors::CachingLanguageModel quick_;
  actors::CachingLanguageModel deepthink_;
  std::atomic<std::int64_t> done_ = 0;
  actors::Evaluator evaluator_;
};

actors::EvaluationCell SwitcherAt(const actors::EpisodeTerms& terms) {
  actors::EvaluationCell cell = actors::SwitcherCell(terms.cost, terms.budget);
  cell.terms.meter = terms.meter;
  return cell;
}

}  // namespace

std::vector<actors::CellResult> EvaluatePlan(const configs::EvaluationPlan& plan,
                                             const EvaluateParts& parts) {
  if (plan.oracle) actors::RequireClones(*parts.make_environment());  // Not after the calibration.
  WatchedEvaluator evaluator(plan.options, parts);
  const double first_cost = plan.costs.front();
  std::vector<actors::EvaluationCell> cells = {actors::AlwaysQuickCell(),
                                               actors::AlwaysDeepthinkCell()};
  const core::BudgetMeter meter = parts.config.actor.terms.meter();
  std::vector<actors::EpisodeTerms> limited;
  for (const double budget : plan.budgets) {
    limited.push_back(
        {.cost = static_cast<float>(first_cost), .budget = meter.Ticks(budget), .meter = meter});
  }
  std::vector<actors::EpisodeTerms> caps = {{.cost = static_cast<float>(first_cost)}};
  if (plan.cap_baselines) caps.insert(caps.end(), limited.begin(), limited.end());
  for (const actors::EpisodeTerms& cap : caps) {
    if (plan.baselines.empty()) break;
    const auto rules =
        evaluator.MatchedBaselines(plan.baselines, SwitcherAt(cap), plan.calibration);
    if (parts.signals.num_stop_requests() > 0) return {};
    cells.insert(cells.end(), rules.begin(), rules.end());
  }
  std::vector<actors::EpisodeTerms> terms;
  for (const double cost : plan.costs) terms.push_back({.cost = static_cast<float>(cost)});
  terms.insert(terms.end(), limited.begin(), limited.end());
  for (const actors::EpisodeTerms& each : terms) cells.push_back(SwitcherAt(each));
  const actors::CostControllerOptions control{.min_cost = parts.config.actor.terms.min_cost,
                                              .max_cost = parts.config.actor.terms.max_cost};
  for (const double calls : plan.average_calls) {
    cells.push_back(evaluator.AtAverageCalls(calls, control, plan.calibration));
    if (parts.signals.num_stop_requests() > 0) return {};
  }
  for (const actors::EpisodeTerms& each : terms) {
    if (plan.oracle) cells.push_back(actors::HindsightCell(plan.hindsight, each.cost, each.budget));
  }
  return evaluator.Run(cells);
}

std::vector<actors::CellResult> EvaluateCells(const std::vector<actors::EvaluationCell>& cells,
                                              const actors::EvaluationOptions& options,
                                              const EvaluateParts& parts) {
  return WatchedEvaluator(options, parts).Run(cells);
}

std::size_t ReferenceCell(const std::vector<actors::CellResult>& results) {
  const std::string name = actors::AlwaysDeepthinkCell().name;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].cell.name == name) return i;
  }
  return 0;
}

}  // namespace londi::launch
