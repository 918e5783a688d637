#include "launch/study/results.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "tests/support/study_data.h"

namespace londi::launch::study {
namespace {

using testing::MakeStudyEpisodes;
using testing::MakeStudyEvaluation;

StudyResults AnalyseOne() {
  return Analyse({{"switcher", {MakeStudyEvaluation(), MakeStudyEvaluation()}}},
                 {.margin = 0.05, .resamples = 200});
}

const PolicyRow& Row(const StudyResults& results, const std::string& text) {
  const auto found = std::ranges::find_if(
      results.policies, [&](const PolicyRow& row) { return Text(row.key) == text; });
  EXPECT_NE(found, results.policies.end()) << text;
  return *found;
}

void ExpectInside(const Estimate& estimate) {
  EXPECT_LE(estimate.interval.low, estimate.value);
  EXPECT_GE(estimate.interval.high, estimate.value);
}

TEST(Analyse, FindsWhatIsTrueOfAKnownStudy) {
  const StudyResults results = AnalyseOne();

  EXPECT_EQ(results.seeds, 2u);
  EXPECT_EQ(results.episodes, 40u);
  ASSERT_EQ(results.variants.size(), 1u);
  const VariantRow& row = results.variants.front();
  // 0.85 is wanted; the frontier goes from 0.75 at 10 % to 0.9 at 30 %.
  EXPECT_NEAR(row.matched_calls.value, 0.1 + 0.2 * (0.10 / 0.15), 1e-12);
  // The oracle's from 0.5 at 0 to 0.9 at 10 %.
  EXPECT_NEAR(results.oracle_calls.value, 0.1 * 0.35 / 0.4, 1e-12);
  EXPECT_NEAR(row.oracle_ratio.value, row.matched_calls.value / results.oracle_calls.value, 1e-12);
  const double area = 0.1 * 0.3125 + 0.2 * 0.8125 + 0.7;
  EXPECT_NEAR(row.area.value, area, 1e-12);
  EXPECT_NEAR(row.oracle_share.value, area / (0.05 + 0.9), 1e-12);
  for (const Estimate& estimate :
       {row.matched_calls, row.oracle_ratio, row.area, row.oracle_share, results.oracle_calls})
    ExpectInside(estimate);
  EXPECT_LT(row.area.interval.low, row.area.interval.high);
}

TEST(Analyse, PoliciesUnderABudgetAreNotPartOfTheFrontier) {
  Evaluation lucky = MakeStudyEvaluation();
  lucky[{.name = kSwitcher, .cost = 0.05, .budget = 1}] = MakeStudyEpisodes(40, 0, 0.05);

  const StudyResults results = Analyse({{"switcher", {lucky}}}, {.margin = 0.05, .resamples = 20});

  EXPECT_EQ(results.variants[0].area.value, AnalyseOne().variants[0].area.value);
  EXPECT_EQ(results.variants[0].matched_calls.value, AnalyseOne().variants[0].matched_calls.value);
}

TEST(Analyse, ComparesPoliciesWithDeepthinkAndTheOracle) {
  const StudyResults results = AnalyseOne();

  const PolicyRow& cheap = Row(results, "switcher c=0.05");
  EXPECT_NEAR(cheap.mean.success, 0.75, 1e-12);
  EXPECT_NEAR(cheap.difference.value, -0.15, 1e-12);
  EXPECT_LT(cheap.difference.interval.high, 0);
  EXPECT_NEAR(cheap.regret.value, 0.15, 1e-12);  // Six more solved with as many calls.
  ExpectInside(cheap.regret);
  const PolicyRow& good = Row(results, "switcher c=0.01");
  EXPECT_EQ(good.difference.value, 0);
  EXPECT_EQ(good.difference.interval.low, 0);  // The same episodes: paired.
  EXPECT_EQ(good.difference.interval.high, 0);
  EXPECT_TRUE(std::isnan(good.regret.value));  // The oracle was not asked at that cost.
  EXPECT_TRUE(std::isnan(Row(results, "random").regret.value));
  ASSERT_TRUE(results.variants[0].safe_calls);
  EXPECT_NEAR(*results.variants[0].safe_calls, 0.3, 1e-12);
  ASSERT_EQ(results.budgets.size(), 1u);
  EXPECT_NEAR(results.budgets[0].share.value, 4.0 / 8, 1e-12);
}

TEST(Analyse, ComparesVariantsAndRulesRunByRun) {
  const StudyResults results = Analyse({{"better", {MakeStudyEvaluation(4), MakeStudyEvaluation()}},
                                        {"other", {MakeStudyEvaluation(), MakeStudyEvaluation()}}},
                                       {.resamples = 100});

  const auto probability = [&](const std::string& x, const std::string& y) {
    for (const ImprovementRow& row : results.improvements) {
      if (row.x == x && row.y == y) return row.probability.value;
    }
    return -1.0;
  };
  EXPECT_DOUBLE_EQ(probability("better: switcher c=0.05", "other: switcher c=0.05"), 0.75);
  EXPECT_DOUBLE_EQ(probability("better: switcher c=0.05", "better: random"), 1);
  EXPECT_EQ(probability("better: switcher c=0.05 B=1", "better: random"), -1);  // Other budget.
  EXPECT_EQ(results.variants.size(), 2u);
  EXPECT_EQ(std::ranges::count(
                results.policies, kOracle, [](const PolicyRow& row) { return row.key.name; }),
            2);  // The oracle's rows once, not once per variant.
  EXPECT_GT(results.variants[0].oracle_share.value, 0);
  EXPECT_GT(results.variants[1].oracle_share.value, 0);
}

TEST(Analyse, ASwitcherAtAnAverageBudgetIsNoRuleToCompareWith) {
  Evaluation evaluation = MakeStudyEvaluation();
  evaluation[{.name = "switcher-average 2"}] = evaluation.at({.name = "random"});

  const StudyResults results = Analyse({{"one", {evaluation, evaluation}}}, {.resamples = 10});

  EXPECT_EQ(std::ranges::count(results.policies,
                               "switcher-average 2",
                               [](const PolicyRow& row) { return row.key.name; }),
            1);
  for (const ImprovementRow& row : results.improvements)
    EXPECT_EQ(row.y.find("average"), std::string::npos) << row.y;
}

TEST(Analyse, KnowsOfNoOracleWhereNoneWasAsked) {
  Evaluation without = MakeStudyEvaluation();
  std::erase_if(without, [](const auto& policy) { return policy.first.name == kOracle; });

  const StudyResults results = Analyse({{"switcher", {without}}}, {.resamples = 20});

  EXPECT_TRUE(std::isnan(results.oracle_calls.value));
  EXPECT_TRUE(std::isnan(results.variants[0].oracle_ratio.value));
  EXPECT_TRUE(std::isnan(results.variants[0].oracle_share.value));
  EXPECT_TRUE(results.budgets.empty());
}

TEST(Analyse, SaysWhereCallsLand) {
  const StudyResults results = AnalyseOne();

  ASSERT_EQ(results.positions.size(), 3u);  // Two costs and the oracle, without budgets.
  EXPECT_EQ(results.positions[0].policy, "hindsight-oracle c=0.05");
  EXPECT_EQ(results.positions[0].shares[0], 1);
  EXPECT_EQ(results.positions[1].policy, "switcher: switcher c=0.01");
  EXPECT_NEAR(results.positions[1].shares[2], 1.0 / 3, 1e-12);
}

TEST(Analyse, SaysHowFarPredictionsCanBeBelieved) {
  const StudyResults results = AnalyseOne();

  ASSERT_EQ(results.calibrations.size(), 2u);  // The Switcher's two costs.
  EXPECT_EQ(results.calibrations[0].policy, "switcher: switcher c=0.01");
  EXPECT_EQ(results.calibrations[0].error, 0.5);
}

TEST(Analyse, TheSameSeedGivesTheSameIntervals) {
  const StudyResults a = AnalyseOne(), b = AnalyseOne();

  EXPECT_EQ(a.variants[0].area.interval.low, b.variants[0].area.interval.low);
  EXPECT_EQ(a.variants[0].area.interval.high, b.variants[0].area.interval.high);
  EXPECT_EQ(a.policies[3].success_iqm.interval.low, b.policies[3].success_iqm.interval.low);
}

TEST(Analyse, RefusesRunsOnOtherEpisodes) {
  Evaluation shorter = MakeStudyEvaluation();
  for (auto& [key, episodes] : shorter) episodes.pop_back();
  Evaluation lacking = MakeStudyEvaluation();
  lacking.erase({.name = kSwitcher, .cost = 0.01});

  EXPECT_THROW(Analyse({{"a", {MakeStudyEvaluation(), shorter}}}, {}), core::Error);
  EXPECT_THROW(Analyse({{"a", {MakeStudyEvaluation(), lacking}}}, {}), core::Error);
}

}  // namespace
}  // namespace londi::launch::study
