#include "actors/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "actors/random.h"
#include "actors/seeds.h"
#include "actors/worker_threads.h"
#include "core/error.h"

namespace londi::actors {
namespace {

constexpr double kCloseEnough = 0.01;  // Of the calls that a rule is to make.

double ValueOf(const EvaluationCell& cell, const EpisodeResult& episode) {
  return episode.total_reward - cell.terms.cost * episode.calls;
}

class LeaveWhen final : public EpisodeObserver {
 public:
  explicit LeaveWhen(const std::atomic<bool>& stopping) : stopping_(stopping) {}
  bool BeforeDecision() override { return !stopping_; }

 private:
  const std::atomic<bool>& stopping_;
};

}  // namespace

EvaluationCell AlwaysQuickCell() { return {.name = "always-quick", .switcher = {.kind = "never"}}; }

EvaluationCell AlwaysDeepthinkCell() {
  return {.name = "always-deepthink", .switcher = {.kind = "always"}};
}

EvaluationCell RuleCell(const SwitcherOptions& rule, std::int32_t budget) {
  return {.name = rule.kind, .switcher = rule, .terms = {.budget = budget}};
}

EvaluationCell SwitcherCell(double cost, std::int32_t budget) {
  return {.name = "switcher",
          .switcher = {.kind = "mlp"},
          .terms = {.cost = static_cast<float>(cost), .budget = budget}};
}

EvaluationCell HindsightCell(const HindsightOptions& options, double cost, std::int32_t budget) {
  return {.name = "hindsight-oracle",
          .terms = {.cost = static_cast<float>(cost), .budget = budget},
          .hindsight = options};
}

std::string PolicyOf(const EvaluationCell& cell) {
  return cell.hindsight ? "hindsight" : cell.switcher.kind;
}

bool DependsOnCost(const EvaluationCell& cell) {
  return cell.hindsight || cell.switcher.kind == "mlp";
}

void EvaluationOptions::Validate() const {
  core::RequireConfig(episodes >= 1 && min_episodes >= 1 && min_episodes <= episodes,
                      "evaluation asks for " + std::to_string(min_episodes) + " to " +
                          std::to_string(episodes) + " episodes",
                      "it ends between the two",
                      "set 1 <= evaluation.min_episodes <= evaluation.episodes");
  core::RequireConfig(
      first_seed <= kFirstCalibrationSeed &&
          static_cast<std::uint64_t>(episodes) <= kFirstCalibrationSeed - first_seed,
      std::to_string(episodes) + " evaluation seeds begin at " + std::to_string(first_seed),
      "from " + std::to_string(kFirstCalibrationSeed) +
          " on, seeds belong to calibration and training: those episodes are not unseen",
      "evaluate fewer episodes, or from a smaller first seed");
  core::RequireConfig(threads >= 1 && threads <= 1024,
                      "evaluation has " + std::to_string(threads) + " threads",
                      "each runs an episode",
                      "set evaluation.threads between 1 and 1024");
  core::RequireConfig(lm_timeout.count() > 0,
                      "the LM timeout is not positive",
                      "no LM answers in no time",
                      "set it above 0s");
  core::RequireConfig(attempts >= 1,
                      "evaluation attempts is " + std::to_string(attempts),
                      "each episode must be tried",
                      "set it to 1 or more");
  core::RequireConfig(time.count() >= 0,
                      "the evaluation time is negative",
                      "an evaluation ends by itself",
                      "set evaluation.time to 0s (no limit) or more");
}

void CalibrationOptions::Validate() const {
  core::RequireConfig(episodes >= 1 && static_cast<std::uint64_t>(episodes) <= kNumCalibrationSeeds,
                      "calibration asks for " + std::to_string(episodes) + " episodes",
                      "there are " + std::to_string(kNumCalibrationSeeds) + " seeds for it",
                      "set evaluation.calibration_episodes from 1 to that");
  core::RequireConfig(tries >= 1,
                      "calibration tries is " + std::to_string(tries),
                      "without a try nothing is matched",
                      "set it to 1 or more");
}

// One thread: takes a seed and runs it in all cells.
class Evaluator::Worker {
 public:
  // Rows of seeds that were finished in all cells are added to `results`.
  struct Shared {
    const std::vector<EvaluationCell>& cells;
    const Span& span;
    std::atomic<std::int64_t> next = 0;
    std::mutex mutex;
    std::int64_t done = 0;  // Guarded by mutex, as is `results`.
    std::vector<CellResult> results;
  };

  Worker(Evaluator& evaluator, Shared& shared)
      : evaluator_(evaluator),
        parts_(evaluator.parts_),
        shared_(shared),
        environment_(parts_.make_environment()) {}

  void Run() {
    while (MayTakeSeed()) {
      const std::int64_t index = shared_.next++;
      if (index >= shared_.span.episodes) return;
      const std::uint64_t seed = shared_.span.first_seed + static_cast<std::uint64_t>(index);
      std::vector<EpisodeRow> rows;
      for (const EvaluationCell& cell : shared_.cells) {
        rows.push_back(RunAnswered(cell, seed));
        if (!rows.back().result.finished) return;  // Stopping.
      }
      Add(std::move(rows));
    }
  }

 private:
  bool MayTakeSeed() const {
    if (evaluator_.stopping_) return false;
    return shared_.next < shared_.span.min_episodes || parts_.clock.Now() < shared_.span.deadline;
  }

  EpisodeRow RunAnswered(const EvaluationCell& cell, std::uint64_t seed) {
    for (int attempt = 1;; ++attempt) {
      try {
        return cell.hindsight ? RunInHindsight(cell, seed) : RunSwitcher(cell, seed);
      } catch (const core::UnavailableError&) {
        if (evaluator_.stopping_) return {};
        if (attempt >= evaluator_.options_.attempts) throw;
      }
    }
  }

  // A Switcher of its own for each episode: what a random one does depends on the seed, not on the
  // thread that happens to run it.
  EpisodeRow RunSwitcher(const EvaluationCell& cell, std::uint64_t seed) {
    const auto switcher =
        MakeSwitcher(cell.switcher, MixWords({evaluator_.options_.run_seed, seed}));
    if (parts_.weights != nullptr) switcher->Load(parts_.weights);
    return {.seed = seed, .result = RunOnce(cell, seed, *switcher)};
  }

  // The plan is acted out like any other policy: what it cost is counted in the same way, and a
  // search that does not know what the episode is like is found out.
  EpisodeRow RunInHindsight(const EvaluationCell& cell, std::uint64_t seed) {
    const core::Observation first = environment_->Reset(seed);
    auto plan = FindHindsightPlan(cell.terms,
                                  SessionOf(cell, seed),
                                  *cell.hindsight,
                                  {.environment = *environment_,
                                   .first = first,
                                   .quick = parts_.quick,
                                   .deepthink = parts_.deepthink,
                                   .clock = parts_.clock,
                                   .lm_timeout = evaluator_.options_.lm_timeout,
                                   .stopping = evaluator_.stopping_});
    if (!plan) return {};
    const auto switcher = MakePlannedSwitcher(plan->calls);
    EpisodeRow row{.seed = seed, .result = RunOnce(cell, seed, *switcher)};
    if (row.result.finished) RequireSame(*plan, cell, row);
    row.plan = std::move(plan);
    return row;
  }

  EpisodeResult RunOnce(const EvaluationCell& cell, std::uint64_t seed, core::Switcher& switcher) {
    DecisionMaker decision_maker(
        parts_.quick, parts_.deepthink, switcher, parts_.clock, evaluator_.options_.lm_timeout);
    LeaveWhen observer(evaluator_.stopping_);
    const EpisodeSetup setup{.id = core::EpisodeId(static_cast<std::int64_t>(seed)),
                             .seed = seed,
                             .terms = cell.terms,
                             .session = SessionOf(cell, seed)};
    return RunEpisode(*environment_, decision_maker, setup, parts_.clock, observer);
  }

  std::uint64_t SessionOf(const EvaluationCell& cell, std::uint64_t seed) const {
    return MixWords({seed, static_cast<std::uint64_t>(&cell - shared_.cells.data())}) | 1;
  }

  static void RequireSame(const HindsightPlan& plan,
                          const EvaluationCell& cell,
                          const EpisodeRow& row) {
    if (static_cast<std::size_t>(row.result.steps) == plan.calls.size() &&
        std::abs(ValueOf(cell, row.result) - plan.value) < 1e-9)
      return;
    throw core::Error({.what = "the plan found in hindsight for the episode of seed " +
                               std::to_string(row.seed) + " went otherwise when it was acted out",
                       .why = "the same question was answered in two ways: the LMs are sampled, or "
                              "scores that differ in the last bits chose another action.",
                       .fix = "use greedy LMs with a cache of their answers around them."});
  }

  void Add(std::vector<EpisodeRow> rows) {
    EvaluationProgress progress{.seeds = shared_.span.episodes};
    {
      std::lock_guard lock(shared_.mutex);
      for (std::size_t i = 0; i < rows.size(); ++i)
        shared_.results[i].rows.push_back(std::move(rows[i]));
      progress.seeds_done = ++shared_.done;
    }
    if (parts_.on_progress) parts_.on_progress(progress);
  }

  Evaluator& evaluator_;
  const Parts& parts_;
  Shared& shared_;
  const std::unique_ptr<core::Environment> environment_;
};

Evaluator::Evaluator(const EvaluationOptions& options, Parts parts)
    : options_(options), parts_(std::move(parts)) {
  options_.Validate();
}

std::vector<CellResult> Evaluator::Run(const std::vector<EvaluationCell>& cells) {
  Span span{.first_seed = options_.first_seed,
            .episodes = options_.episodes,
            .min_episodes = options_.min_episodes};
  if (options_.time.count() > 0) span.deadline = parts_.clock.Now() + options_.time;
  return RunSpan(cells, span);
}

std::vector<CellResult> Evaluator::RunSpan(const std::vector<EvaluationCell>& cells,
                                           const Span& span) {
  for (const EvaluationCell& cell : cells) {
    if (!cell.hindsight && NeedsWeights(cell.switcher.kind) && parts_.weights == nullptr) {
      throw core::ConfigError({.what = "cell '" + cell.name + "' has no Switcher to evaluate",
                               .why = "there are no trained weights.",
                               .fix = "evaluate a run that has a checkpoint."});
    }
  }
  Worker::Shared shared{.cells = cells, .span = span};
  for (const EvaluationCell& cell : cells) shared.results.push_back({.cell = cell});
  std::atomic<bool>& stopping = stopping_;
  WorkerThreads threads([&stopping] { stopping = true; });
  const std::int64_t num_threads = std::min<std::int64_t>(options_.threads, span.episodes);
  for (std::int64_t i = 0; i < num_threads; ++i)
    threads.Start("eval.env" + std::to_string(i), [&] { Worker(*this, shared).Run(); });
  threads.Join();
  for (CellResult& result : shared.results) std::ranges::sort(result.rows, {}, &EpisodeRow::seed);
  return std::move(shared.results);
}

std::vector<EvaluationCell> Evaluator::MatchedBaselines(const std::vector<std::string>& kinds,
                                                        const EvaluationCell& cell,
                                                        const CalibrationOptions& calibration) {
  const double calls = MeasureCalls(cell, calibration);
  const std::int32_t budget = cell.terms.budget;
  std::vector<EvaluationCell> baselines;
  for (const std::string& kind : kinds) {
    EvaluationCell& baseline = baselines.emplace_back(RuleCell({.kind = kind}, budget));
    baseline.terms.meter = cell.terms.meter;
    const Knob* knob = FindKnob(kind);
    if (knob == nullptr) continue;
    if (knob->is_rate && budget < 0) {
      baseline.switcher.*knob->value = calls;  // Nothing to search for.
    } else {
      baseline = Calibrate(baseline, *knob, calls, calibration);
    }
  }
  return baselines;
}

EvaluationCell Evaluator::Calibrate(EvaluationCell cell,
                                    const Knob& knob,
                                    double calls,
                                    const CalibrationOptions& calibration) {
  double rarely = std::log(knob.rarely), often = std::log(knob.often);
  double best = knob.rarely, best_error = std::numeric_limits<double>::infinity();
  for (int i = 0; i < calibration.tries && !stopping_; ++i) {
    const double middle = (rarely + often) / 2;
    cell.switcher.*knob.value = std::exp(middle);
    const double measured = MeasureCalls(cell, calibration);
    if (std::abs(measured - calls) < best_error) {
      best = cell.switcher.*knob.value;
      best_error = std::abs(measured - calls);
    }
    if (best_error <= kCloseEnough * calls) break;
    (measured > calls ? often : rarely) = middle;
  }
  cell.switcher.*knob.value = best;
  return cell;
}

EvaluationCell Evaluator::AtAverageCalls(double calls,
                                         const CostControllerOptions& control,
                                         const CalibrationOptions& calibration) {
  CostController controller(control, calls);
  while (controller.outcome() == CostOutcome::kSearching && !stopping_)
    controller.Observe(MeasureCalibration(SwitcherCell(controller.cost()), calibration).calls);
  const CallsAtCost found = controller.best().value_or(CallsAtCost{.cost = controller.cost()});
  EvaluationCell cell = SwitcherCell(found.cost);
  cell.name = "switcher-average";
  cell.average = {.wanted = calls,
                  .outcome = controller.outcome(),
                  .found = found,
                  .above = controller.above(),
                  .below = controller.below()};
  return cell;
}

double Evaluator::MeasureCalls(const EvaluationCell& cell, const CalibrationOptions& calibration) {
  const CellSummary summary = MeasureCalibration(cell, calibration);
  return cell.terms.budget < 0 ? summary.call_share : summary.calls;
}

CellSummary Evaluator::MeasureCalibration(const EvaluationCell& cell,
                                          const CalibrationOptions& calibration) {
  calibration.Validate();
  const Span span{.first_seed = kFirstCalibrationSeed,
                  .episodes = calibration.episodes,
                  .min_episodes = calibration.episodes};
  return Summarize(RunSpan({cell}, span).front());
}

CellSummary Summarize(const CellResult& result) {
  CellSummary summary{.episodes = static_cast<std::int64_t>(result.rows.size())};
  const double n = static_cast<double>(std::max<std::int64_t>(summary.episodes, 1));
  std::int64_t successes = 0;
  double steps = 0, calls = 0, lm_ms = 0, total_ms = 0;
  for (const auto& [seed, episode, plan] : result.rows) {
    successes += episode.success;
    steps += episode.steps;
    calls += episode.calls;
    summary.total_reward += episode.total_reward / n;
    summary.quick_tokens += static_cast<double>(episode.quick.tokens) / n;
    summary.deepthink_tokens += static_cast<double>(episode.deepthink.tokens) / n;
    summary.gflops += (episode.quick.gflops + episode.deepthink.gflops) / n;
    lm_ms += episode.quick.compute_ms + episode.deepthink.compute_ms;
    total_ms += std::chrono::duration<double, std::milli>(episode.total_time).count();
    const std::int32_t budget = result.cell.terms.budget;
    summary.refused += episode.refused / n;
    summary.budget_violations += budget >= 0 && episode.spent > budget;
    summary.value += ValueOf(result.cell, episode) / n;
    if (!plan) continue;
    summary.proven += plan->proven;
    summary.bound += plan->bound / n;
  }
  summary.success = static_cast<double>(successes) / n;
  summary.success_interval = WilsonInterval(successes, summary.episodes);
  summary.steps = steps / n;
  summary.calls = calls / n;
  const double decisions = std::max(steps, 1.0);
  summary.call_share = calls / decisions;
  summary.lm_ms_per_decision = lm_ms / decisions;
  summary.total_ms_per_decision = total_ms / decisions;
  return summary;
}

PairedDifference SuccessDifference(const CellResult& a, const CellResult& b) {
  std::vector<double> in_a, in_b;
  auto other = b.rows.begin();
  for (const EpisodeRow& row : a.rows) {  // Both are ordered by seed.
    other = std::find_if(other, b.rows.end(), [&](const EpisodeRow& candidate) {
      return candidate.seed >= row.seed;
    });
    if (other == b.rows.end()) break;
    if (other->seed != row.seed) continue;
    in_a.push_back(row.result.success);
    in_b.push_back(other->result.success);
  }
  if (in_a.empty()) return {.interval = {-1, 1}};
  return BootstrapDifference(in_a, in_b);
}

}  // namespace londi::actors
