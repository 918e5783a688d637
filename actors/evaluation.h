#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cost_controller.h"
#include "actors/episode.h"
#include "actors/hindsight_oracle.h"
#include "actors/statistics.h"
#include "actors/switching/make_switcher.h"
#include "core/language_model.h"
#include "core/weights.h"

namespace londi::actors {

// What came of the search for the cost at which a Switcher makes so many calls on average.
struct AverageBudget {
  double wanted = 0;  // Calls per episode.
  CostOutcome outcome = CostOutcome::kSearching;
  CallsAtCost found;                        // On calibration episodes; the cell's cost.
  std::optional<CallsAtCost> above, below;  // The nearest costs on both sides, if seen.
};

// One row of the final table: a policy at one cost and one budget.
struct EvaluationCell {
  std::string name;          // e.g. "switcher", "always-deepthink"
  SwitcherOptions switcher;  // Greedy: no exploration.
  EpisodeTerms terms;
  std::optional<HindsightOptions> hindsight;  // Instead of a Switcher: the best plan afterwards.
  std::optional<AverageBudget> average;       // What its cost was found for.
};

// What the table and JSON call it: "hindsight" or the Switcher's kind.
std::string PolicyOf(const EvaluationCell& cell);
// Whether it acts otherwise at another cost.
bool DependsOnCost(const EvaluationCell& cell);

// The usual ones. Rules take `budget` too: then the governor cuts them off.
EvaluationCell AlwaysQuickCell();
EvaluationCell AlwaysDeepthinkCell();
EvaluationCell RuleCell(const SwitcherOptions& rule,  // Its kind is the cell's name.
                        std::int32_t budget = core::BudgetGovernor::kUnlimited);
EvaluationCell SwitcherCell(double cost, std::int32_t budget = core::BudgetGovernor::kUnlimited);
EvaluationCell HindsightCell(const HindsightOptions& options,
                             double cost,
                             std::int32_t budget = core::BudgetGovernor::kUnlimited);

struct EpisodeRow {
  std::uint64_t seed = 0;
  EpisodeResult result;
  std::optional<HindsightPlan> plan;  // Of a hindsight cell.
};

struct CellResult {
  EvaluationCell cell;
  std::vector<EpisodeRow> rows;  // Ordered by seed; the same seeds in all cells of an evaluation.
};

// Means over a cell's episodes, except where a name says otherwise.
struct CellSummary {
  std::int64_t episodes = 0;
  double success = 0;
  Interval success_interval;  // 95 %
  double total_reward = 0;
  double steps = 0;
  double call_share = 0;  // Calls of all episodes / steps of all episodes.
  double calls = 0;
  double quick_tokens = 0, deepthink_tokens = 0;
  double gflops = 0;                   // Both LMs.
  double lm_ms_per_decision = 0;       // Share of the LMs' forward passes.
  double total_ms_per_decision = 0;    // Wall clock of an episode's thread, waiting included.
  double refused = 0;                  // Calls that would have cost more than was left.
  std::int64_t budget_violations = 0;  // Episodes that spent more than the budget.
  double value = 0;                    // Return minus c times calls.
  // Of hindsight cells.
  std::int64_t proven = 0;  // Episodes whose plan is proven to be the best.
  double bound = 0;         // No policy's `value` is above it on these episodes.
};
CellSummary Summarize(const CellResult& result);

// Of success, `a` minus `b`, over their common seeds (all, within one evaluation).
PairedDifference SuccessDifference(const CellResult& a, const CellResult& b);

struct EvaluationOptions {
  std::int64_t episodes = 2000;       // Per cell, 1..kNumEvaluationSeeds.
  std::int64_t min_episodes = 200;    // Per cell, whatever the time says; 1..episodes.
  std::chrono::milliseconds time{0};  // No new seeds after it; 0 = no limit.
  std::int32_t threads = 16;          // 1..1024
  std::uint64_t first_seed = 0;       // seeds.h; first_seed + episodes stays within its range.
  std::chrono::milliseconds lm_timeout{30'000};  // > 0
  std::int32_t attempts = 3;   // An episode that an LM left unanswered is run again, >= 1.
  std::uint64_t run_seed = 1;  // Of random cells.
  void Validate() const;       // Throws core::ConfigError.
};

// Calibration runs on seeds of its own (seeds.h).
struct CalibrationOptions {
  std::int64_t episodes = 200;  // Per try, the same ones each time, 1..kNumCalibrationSeeds.
  std::int32_t tries = 10;      // Halvings of the interval at most, >= 1.
  void Validate() const;        // Throws core::ConfigError.
};

struct EvaluationProgress {
  std::int64_t seeds_done = 0;  // Each in all cells.
  std::int64_t seeds = 0;       // At most.
};

// Runs cells on the same unseen episodes with greedy policies.
class Evaluator {
 public:
  struct Parts {                          // All outlive the evaluator.
    EnvironmentFactory make_environment;  // Called once per thread.
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
    std::shared_ptr<const core::WeightsSnapshot>
        weights;  // Of cells that NeedsWeights; may be nullptr without.
    const core::Clock& clock;
    std::function<void(const EvaluationProgress&)> on_progress;  // Any thread; may be empty.
  };
  Evaluator(const EvaluationOptions& options, Parts parts);

  // All cells on the same seeds, seed by seed, so that stopping early keeps them paired. Throws
  // what an environment or an LM threw.
  std::vector<CellResult> Run(const std::vector<EvaluationCell>& cells);

  // Rules to compare `cell` with, of these kinds (BaselineKinds()): each under the cell's budget,
  // and with its knob where it calls as often as the cell. What has no knob comes as it is.
  // Measured and tuned on calibration seeds, before any evaluation seed is seen.
  std::vector<EvaluationCell> MatchedBaselines(const std::vector<std::string>& kinds,
                                               const EvaluationCell& cell,
                                               const CalibrationOptions& calibration);

  // `cell` with the knob of its rule, `knob`, where its calls come closest to `calls`, per step, or
  // per episode if the cell has a budget; by bisection on calibration seeds, until they differ by
  // less than a hundredth, which on other seeds they do anyway. Under a budget calls
  // per step would not do: a rule that wastes its calls needs more steps, so calling more often may
  // lower them (docs/decisions/0017).
  EvaluationCell Calibrate(EvaluationCell cell,
                           const Knob& knob,
                           double calls,
                           const CalibrationOptions& calibration);

  // The Switcher at the cost, of those `control` admits, at which its calls per episode come
  // closest to `calls`, an average budget. Found on calibration seeds.
  EvaluationCell AtAverageCalls(double calls,
                                const CostControllerOptions& control,
                                const CalibrationOptions& calibration);

  // Run and the others return soon; episodes under way are left out. Any thread, signal handlers
  // included.
  void RequestStop() { stopping_ = true; }

 private:
  struct Span {  // Which seeds, and when to stop taking more.
    std::uint64_t first_seed = 0;
    std::int64_t episodes = 0;
    std::int64_t min_episodes = 0;
    core::TimePoint deadline = core::TimePoint::max();
  };
  class Worker;
  std::vector<CellResult> RunSpan(const std::vector<EvaluationCell>& cells, const Span& span);
  CellSummary MeasureCalibration(const EvaluationCell& cell, const CalibrationOptions& calibration);
  double MeasureCalls(const EvaluationCell& cell, const CalibrationOptions& calibration);

  const EvaluationOptions options_;
  const Parts parts_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace londi::actors
