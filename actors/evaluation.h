#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/episode.h"
#include "actors/statistics.h"
#include "actors/switching/make_switcher.h"
#include "core/language_model.h"
#include "core/weights.h"

namespace londi::actors {

// One row of the final table: a policy at one cost and one budget.
struct EvaluationCell {
  std::string name;          // e.g. "switcher", "always-deepthink"
  SwitcherOptions switcher;  // Greedy: no exploration.
  EpisodeTerms terms;
};

// The usual ones. Rules take `budget` too: then the governor cuts them off.
EvaluationCell AlwaysQuickCell();
EvaluationCell AlwaysDeepthinkCell();
EvaluationCell RandomCell(double rate, std::int32_t budget = core::BudgetGovernor::kUnlimited);
EvaluationCell EntropyCell(double threshold,
                           std::int32_t budget = core::BudgetGovernor::kUnlimited);
EvaluationCell SwitcherCell(double cost, std::int32_t budget = core::BudgetGovernor::kUnlimited);

struct EpisodeRow {
  std::uint64_t seed = 0;
  EpisodeResult result;
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
  std::int64_t budget_violations = 0;  // Episodes with more calls than the budget.
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
        weights;  // Of "mlp" cells; may be nullptr without.
    const core::Clock& clock;
    std::function<void(const EvaluationProgress&)> on_progress;  // Any thread; may be empty.
  };
  Evaluator(const EvaluationOptions& options, Parts parts);

  // All cells on the same seeds, seed by seed, so that stopping early keeps them paired. Throws
  // what an environment or an LM threw.
  std::vector<CellResult> Run(const std::vector<EvaluationCell>& cells);

  // Run returns after the episodes under way, with fewer seeds. Any thread, signal handlers
  // included.
  void RequestStop() { stopping_ = true; }

 private:
  class Worker;

  const EvaluationOptions options_;
  const Parts parts_;
  std::atomic<bool> stopping_ = false;
};

struct CalibrationOptions {
  std::int64_t episodes = 100;  // Per try, on calibration seeds (seeds.h), the same ones each time.
  std::int32_t tries = 10;      // Halvings of the interval.
};

// The entropy threshold whose calls per step come closest to `call_share`. (A random rate needs no
// calibration: it is its call share.)
EvaluationCell CalibrateEntropyCell(const EvaluationOptions& options,
                                    const CalibrationOptions& calibration,
                                    const Evaluator::Parts& parts,
                                    double call_share);

}  // namespace londi::actors
