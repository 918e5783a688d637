#include "launch/study/results.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "launch/study/statistics.h"

namespace londi::launch::study {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Runs = std::vector<const std::vector<Episode>*>;

bool IsUnlimited(const PolicyKey& key, const std::string& name) {
  return key.name == name && key.budget < 0;
}

// One variant, together with what the oracle did on the same episodes.
class Variant {
 public:
  Variant(const VariantRuns& runs, const Evaluation& reference) : runs_(runs) {
    for (const auto& [key, episodes] : runs.runs.front()) {
      if (key.name == kOracle) continue;
      for (const Evaluation& run : runs.runs) policies_[key].push_back(&At(run, key));
    }
    for (const auto& [key, episodes] : reference) {
      if (key.name == kOracle) policies_[key] = {&episodes};
    }
  }

  const std::map<PolicyKey, Runs>& policies() const { return policies_; }
  const std::vector<Episode>& episodes() const { return *policies_.begin()->second.front(); }
  std::size_t num_runs() const { return runs_.runs.size(); }
  bool HasOracle() const {
    return std::ranges::any_of(policies_, [](const auto& p) { return p.first.name == kOracle; });
  }

  // Of all policies. The oracle has one run: resamples of runs do not concern it.
  std::map<PolicyKey, Measures> MeasureAll(const Weights& weights) const {
    std::map<PolicyKey, Measures> all;
    for (const auto& [key, runs] : policies_) {
      all[key] =
          key.name == kOracle ? Measure(runs, {{1}, weights.episodes}) : Measure(runs, weights);
    }
    return all;
  }

 private:
  const std::vector<Episode>& At(const Evaluation& run, const PolicyKey& key) const {
    const auto found = run.find(key);
    const auto& first = runs_.runs.front().at(key);
    if (found != run.end() &&
        std::ranges::equal(found->second, first, {}, &Episode::seed, &Episode::seed))
      return found->second;
    throw core::Error({.what = "runs of variant '" + runs_.name + "' do not fit each other: " +
                               Text(key) + " is missing in one, or has other episodes",
                       .why = "runs are compared policy by policy on the same episodes",
                       .fix = "delete the evaluation.json that differs and run the study again"});
  }

  const VariantRuns& runs_;
  std::map<PolicyKey, Runs> policies_;
};

// A number about a variant, computed from its measures; the same in every resample.
using Statistic = std::function<double(const std::map<PolicyKey, Measures>&)>;

// All of them on the same resamples, which are drawn once.
std::vector<Estimate> EstimateAll(const Variant& variant,
                                  const std::vector<Statistic>& statistics,
                                  const AnalysisOptions& options) {
  std::vector<Estimate> estimates;
  const auto measured =
      variant.MeasureAll(EqualWeights(variant.num_runs(), variant.episodes().size()));
  for (const Statistic& statistic : statistics) estimates.push_back({.value = statistic(measured)});
  std::vector<std::vector<double>> resampled(statistics.size());
  actors::Random random(options.seed);
  for (std::int32_t i = 0; i < options.resamples; ++i) {
    const auto drawn = variant.MeasureAll(Resample(variant.num_runs(), variant.episodes(), random));
    for (std::size_t s = 0; s < statistics.size(); ++s)
      resampled[s].push_back(statistics[s](drawn));
  }
  for (std::size_t s = 0; s < statistics.size(); ++s)
    estimates[s].interval = PercentileInterval(std::move(resampled[s]));
  return estimates;
}

const PolicyKey kQuickKey{.name = kQuick}, kDeepthinkKey{.name = kDeepthink};

Frontier FrontierOf(const std::map<PolicyKey, Measures>& measured, const std::string& name) {
  std::vector<FrontierPoint> points;
  for (const auto& [key, mean] : measured) {
    if (IsUnlimited(key, name) || key == kQuickKey || key == kDeepthinkKey)
      points.push_back({.calls = mean.call_share, .success = mean.success});
  }
  return Frontier(std::move(points));
}

double MatchedCalls(const std::map<PolicyKey, Measures>& measured,
                    const std::string& name,
                    double margin) {
  const double wanted = measured.at(kDeepthinkKey).success - margin;
  return FrontierOf(measured, name).CallsFor(wanted).value_or(kNone);
}

double Area(const std::map<PolicyKey, Measures>& measured, const std::string& name) {
  return FrontierOf(measured, name)
      .RecoveredArea(measured.at(kQuickKey).success, measured.at(kDeepthinkKey).success);
}

PolicyKey OracleOf(PolicyKey key) {
  key.name = kOracle;
  return key;
}

void AddPolicies(const std::string& name,
                 const Variant& variant,
                 const AnalysisOptions& options,
                 StudyResults& results) {
  const auto mean = variant.MeasureAll(EqualWeights(variant.num_runs(), variant.episodes().size()));
  std::vector<Statistic> statistics;
  for (const auto& [key, unused] : mean) {
    statistics.push_back([key = key](const auto& m) { return m.at(key).success_iqm; });
    statistics.push_back([key = key](const auto& m) { return m.at(key).call_share; });
    statistics.push_back(
        [key = key](const auto& m) { return m.at(key).success - m.at(kDeepthinkKey).success; });
    statistics.push_back([key = key](const auto& m) {
      const auto oracle = m.find(OracleOf(key));
      if (key.name != kSwitcher || oracle == m.end()) return kNone;
      return oracle->second.value - m.at(key).value;
    });
  }
  const std::vector<Estimate> estimates = EstimateAll(variant, statistics, options);
  std::size_t i = 0;
  for (const auto& [key, measures] : mean) {
    const std::size_t begin = std::exchange(i, i + 4);
    if (key.name == kOracle && !results.variants.empty()) continue;  // The same for all.
    results.policies.push_back({.variant = name,
                                .key = key,
                                .mean = measures,
                                .success_iqm = estimates[begin],
                                .call_share = estimates[begin + 1],
                                .difference = estimates[begin + 2],
                                .regret = estimates[begin + 3]});
  }
}

std::optional<double> SafeCalls(const std::string& name, const StudyResults& results) {
  std::optional<double> fewest;
  for (const PolicyRow& row : results.policies) {
    if (row.variant != name || !IsUnlimited(row.key, kSwitcher)) continue;
    if (row.difference.interval.low < -results.margin) continue;
    fewest = std::min(fewest.value_or(1), row.mean.call_share);
  }
  return fewest;
}

void AddVariant(const std::string& name,
                const Variant& variant,
                const AnalysisOptions& options,
                StudyResults& results) {
  const bool oracle = variant.HasOracle();
  const double margin = options.margin;
  std::vector<PolicyKey> budgets;
  for (const auto& [key, unused] : variant.policies()) {
    if (key.name == kSwitcher && key.budget >= 0 && variant.policies().contains(OracleOf(key)))
      budgets.push_back(key);
  }
  const auto matched = [margin](const auto& m) { return MatchedCalls(m, kSwitcher, margin); };
  const auto matched_oracle = [margin, oracle](const auto& m) {
    return oracle ? MatchedCalls(m, kOracle, margin) : kNone;
  };
  std::vector<Statistic> statistics = {
      matched,
      matched_oracle,
      [=](const auto& m) { return matched(m) / matched_oracle(m); },
      [](const auto& m) { return Area(m, kSwitcher); },
      [oracle](const auto& m) { return oracle ? Area(m, kSwitcher) / Area(m, kOracle) : kNone; }};
  for (const PolicyKey& key : budgets) {
    statistics.push_back([key](const auto& m) {
      const double quick = m.at(kQuickKey).success;
      return (m.at(key).success - quick) / (m.at(OracleOf(key)).success - quick);
    });
  }
  const std::vector<Estimate> estimates = EstimateAll(variant, statistics, options);
  results.variants.push_back({.variant = name,
                              .matched_calls = estimates[0],
                              .safe_calls = SafeCalls(name, results),
                              .oracle_ratio = estimates[2],
                              .area = estimates[3],
                              .oracle_share = estimates[4]});
  if (results.variants.size() == 1) results.oracle_calls = estimates[1];
  for (std::size_t i = 0; i < budgets.size(); ++i)
    results.budgets.push_back({.variant = name, .key = budgets[i], .share = estimates[5 + i]});
}

// Mean over kinds of P(X > Y), by what runs of a variant were drawn.
double MeanImprovement(const std::map<std::string, std::vector<double>>& x,
                       const std::map<std::string, std::vector<double>>& y) {
  double sum = 0;
  for (const auto& [kind, scores] : x) sum += ProbabilityOfImprovement(scores, y.at(kind));
  return sum / static_cast<double>(x.size());
}

std::map<std::string, std::vector<double>> DrawRuns(
    const std::map<std::string, std::vector<double>>& scores, actors::Random& random) {
  std::map<std::string, std::vector<double>> drawn = scores;
  for (auto& [kind, of_kind] : drawn) {
    const std::vector<double>& all = scores.at(kind);
    for (double& score : of_kind)
      score = all[static_cast<std::size_t>(random.Below(static_cast<std::int64_t>(all.size())))];
  }
  return drawn;
}

ImprovementRow Improvement(std::pair<std::string, const Runs*> x,
                           std::pair<std::string, const Runs*> y,
                           const AnalysisOptions& options) {
  const auto of_x = SuccessByKind(*x.second), of_y = SuccessByKind(*y.second);
  ImprovementRow row{.x = x.first, .y = y.first, .probability = {MeanImprovement(of_x, of_y)}};
  std::vector<double> resampled;
  actors::Random random(options.seed);
  for (std::int32_t i = 0; i < options.resamples; ++i) {
    const auto drawn_x = DrawRuns(of_x, random), drawn_y = DrawRuns(of_y, random);
    resampled.push_back(MeanImprovement(drawn_x, drawn_y));
  }
  row.probability.interval = PercentileInterval(std::move(resampled));
  return row;
}

// The first variant against the others where both have a Switcher, and against its own rules.
void AddImprovements(const std::vector<std::pair<std::string, Variant>>& variants,
                     const AnalysisOptions& options,
                     StudyResults& results) {
  const auto& [first_name, first] = variants.front();
  const auto label = [](const std::string& variant, const PolicyKey& key) {
    return variant + ": " + Text(key);
  };
  for (const auto& [key, runs] : first.policies()) {
    if (key.name != kSwitcher) continue;
    for (const auto& [name, variant] : variants) {
      const auto found = variant.policies().find(key);
      if (name == first_name || found == variant.policies().end()) continue;
      results.improvements.push_back(Improvement(
          {label(first_name, key), &runs}, {label(name, key), &found->second}, options));
    }
    const std::set<std::string> no_rules = {kQuick, kDeepthink, kOracle};
    for (const auto& [rule, rule_runs] : first.policies()) {
      const bool is_switcher = rule.name.starts_with(kSwitcher);  // Or at an average budget.
      if (is_switcher || no_rules.contains(rule.name) || rule.budget != key.budget) continue;
      results.improvements.push_back(Improvement(
          {label(first_name, key), &runs}, {label(first_name, rule), &rule_runs}, options));
    }
  }
}

void AddPositions(const std::vector<std::pair<std::string, Variant>>& variants,
                  StudyResults& results) {
  for (const auto& [name, variant] : variants) {
    for (const auto& [key, runs] : variant.policies()) {
      const bool once = key.name == kOracle && name == variants.front().first;
      if (key.budget >= 0 || (key.name != kSwitcher && !once)) continue;
      if (auto shares = CallPositions(runs); !shares.empty()) {
        results.positions.push_back(
            {.policy = once ? Text(key) : name + ": " + Text(key), .shares = std::move(shares)});
      }
    }
  }
}

void AddCalibrations(const std::vector<std::pair<std::string, Variant>>& variants,
                     StudyResults& results) {
  for (const auto& [name, variant] : variants) {
    for (const auto& [key, runs] : variant.policies()) {
      if (!IsUnlimited(key, kSwitcher)) continue;
      if (auto bins = Calibration(runs); !bins.empty()) {
        const double error = CalibrationError(bins);
        results.calibrations.push_back(
            {.policy = name + ": " + Text(key), .bins = std::move(bins), .error = error});
      }
    }
  }
}

}  // namespace

StudyResults Analyse(const std::vector<VariantRuns>& variants, const AnalysisOptions& options) {
  std::vector<std::pair<std::string, Variant>> all;
  for (const VariantRuns& runs : variants)
    all.emplace_back(runs.name, Variant(runs, variants.front().runs.front()));
  StudyResults results{.seeds = variants.front().runs.size(),
                       .episodes = all.front().second.episodes().size(),
                       .margin = options.margin};
  for (const auto& [name, variant] : all) {
    AddPolicies(name, variant, options, results);
    AddVariant(name, variant, options, results);
  }
  AddImprovements(all, options, results);
  AddPositions(all, results);
  AddCalibrations(all, results);
  return results;
}

}  // namespace londi::launch::study
