#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/statistics.h"
#include "launch/study/measures.h"

namespace londi::launch::study {

// The runs of one variant, an evaluation each.
struct VariantRuns {
  std::string name;
  std::vector<Evaluation> runs;  // [seeds]
};

struct Estimate {
  double value = 0;           // NaN: there is none.
  actors::Interval interval;  // 95 %, bootstrap over runs and, within their kinds, episodes.
};

// A policy's row, over all runs of a variant.
struct PolicyRow {
  std::string variant;
  PolicyKey key;
  Measures mean;
  Estimate success_iqm;
  Estimate call_share;
  Estimate difference;  // Success minus that of always-deepthink, paired by episode.
  Estimate regret;      // Value of the oracle's plans minus its own, where the oracle was asked.
};

// One number each about all costs of a variant's Switcher, without budgets. Frontiers go from
// always-quick through the measured costs to always-deepthink.
struct VariantRow {
  std::string variant;
  Estimate matched_calls;  // x*: fewest calls per step at which success is within the margin.
  // Of the measured points whose interval excludes a larger loss than the margin, the fewest calls.
  std::optional<double> safe_calls;
  Estimate oracle_ratio;  // x* / x* of the oracle.
  Estimate area;          // Of the recovered gap, see Frontier.
  Estimate oracle_share;  // area / area of the oracle.
};

// How much of what the oracle gains over QUICK a Switcher gains under a budget.
struct BudgetRow {
  std::string variant;
  PolicyKey key;
  Estimate share;
};

// P(X > Y) over runs, mean over kinds.
struct ImprovementRow {
  std::string x, y;
  Estimate probability;
};

struct PositionRow {
  std::string policy;
  std::vector<double> shares;  // [10] of the calls in each tenth of the episode.
};

// How far the predicted disagreement can be believed where a Switcher called.
struct CalibrationRow {
  std::string policy;
  std::vector<CalibrationBin> bins;
  double error = 0;  // CalibrationError
};

struct StudyResults {
  std::size_t seeds = 0, episodes = 0;
  double margin = 0;
  std::vector<PolicyRow> policies;
  std::vector<VariantRow> variants;
  Estimate oracle_calls;  // x* of the oracle.
  std::vector<BudgetRow> budgets;
  std::vector<ImprovementRow> improvements;
  std::vector<PositionRow> positions;
  std::vector<CalibrationRow> calibrations;
};

struct AnalysisOptions {
  double margin = 0.01;           // Of success: "as good as always-deepthink".
  std::int32_t resamples = 1000;  // >= 1
  std::uint64_t seed = 1;         // The same one gives the same intervals.
};

// `variants`: at least one, with as many runs each, at least one; the first one's first run has the
// oracle's rows if there are any. Throws core::Error where runs were evaluated on different
// episodes.
StudyResults Analyse(const std::vector<VariantRuns>& variants, const AnalysisOptions& options);

}  // namespace londi::launch::study
