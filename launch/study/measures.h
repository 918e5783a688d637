#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/random.h"

// What the evaluations of a study say, and means over them.
namespace londi::launch::study {

// One policy at one cost and budget: a row of an evaluation's table.
struct PolicyKey {
  std::string name;    // "switcher", "always-quick", "entropy", "hindsight-oracle" ...
  double cost = 0;     // 0 where the policy does not depend on it, or each run found its own.
  double budget = -1;  // In its unit; -1 = unlimited.
  friend auto operator<=>(const PolicyKey&, const PolicyKey&) = default;
};
std::string Text(const PolicyKey& key);  // "switcher c=0.01 B=3"

inline const std::string kQuick = "always-quick", kDeepthink = "always-deepthink",
                         kSwitcher = "switcher", kOracle = "hindsight-oracle";

// One episode of one policy.
struct Episode {
  std::uint64_t seed = 0;
  std::string kind;
  bool success = false;
  double value = 0;  // Return minus c times calls; c of the key.
  double steps = 0, calls = 0;
  double tokens = 0, gflops = 0, lm_ms = 0;  // Both LMs.
  std::vector<std::int32_t> call_steps;
  std::vector<std::int32_t> changed_steps;  // Of these, where DEEPTHINK acted otherwise than QUICK.
  std::vector<double> call_disagreements;   // [calls] how probable the Switcher held that.
};

// The policies of one evaluation, all on the same seeds.
using Evaluation = std::map<PolicyKey, std::vector<Episode>>;

// Reads what `londi eval --json` wrote. Throws core::Error naming the file when it is damaged,
// core::IoError when it cannot be read.
Evaluation ReadEvaluation(const std::filesystem::path& file);

// How often each run and each episode counts: once each, or as often as a resample drew it.
// Episodes are drawn within their kind, so every resample has as many of each as there are.
struct Weights {
  std::vector<int> runs;      // [runs]
  std::vector<int> episodes;  // [episodes]
};
Weights EqualWeights(std::size_t num_runs, std::size_t num_episodes);
Weights Resample(std::size_t num_runs,
                 const std::vector<Episode>& episodes,  // Of any run: seeds and kinds are shared.
                 actors::Random& random);

struct Measures {
  double success = 0;      // Mean over episodes.
  double success_iqm = 0;  // Interquartile mean over the success of each (run, kind).
  double call_share = 0;   // Calls / steps.
  double calls = 0, tokens = 0, gflops = 0, lm_ms = 0;  // Per episode.
  double value = 0;
};
// `runs`: [runs] the episodes of one policy in each run, the same seeds in the same order.
Measures Measure(const std::vector<const std::vector<Episode>*>& runs, const Weights& weights);

// Success by (kind, run), each kind's list as long as there are runs.
std::map<std::string, std::vector<double>> SuccessByKind(
    const std::vector<const std::vector<Episode>*>& runs);

// Of the calls before which the LMs' disagreement was held for about equally probable.
struct CalibrationBin {
  double share = 0;      // Of all calls.
  double predicted = 0;  // Mean.
  double found = 0;      // Share of them that changed the action.
};
// A bin for each tenth of the probability in which there are calls; none where nothing was
// predicted (every prediction is 1). It sees calls only: what a Switcher held for improbable it did
// not try.
std::vector<CalibrationBin> Calibration(const std::vector<const std::vector<Episode>*>& runs);

// Expected calibration error: mean |predicted - found| over calls, by bin (Guo et al. 2017,
// arXiv:1706.04599).
double CalibrationError(const std::vector<CalibrationBin>& bins);

// Shares of the calls in each tenth of the episode; empty where there are none.
std::vector<double> CallPositions(const std::vector<const std::vector<Episode>*>& runs);

}  // namespace londi::launch::study
