#include <gtest/gtest.h>

#include <atomic>

#include "actors/evaluation.h"
#include "core/error.h"
#include "tests/support/fake_language_model.h"
#include "tests/unit/actors/evaluator_fixture.h"

namespace londi::actors {
namespace {

using testing::FakeLanguageModel;

class EvaluationHindsight : public EvaluatorTest {};

TEST_F(EvaluationHindsight, TheBestPlanInHindsightCallsAtRiddlesOnly) {
  Evaluator evaluator(Episodes(60), CountingParts());

  const auto results = evaluator.Run({AlwaysDeepthinkCell(),
                                      RuleCell({.kind = "entropy", .threshold = 0.4}),
                                      HindsightCell({}, 0.1),
                                      HindsightCell({}, 0.1, 2),
                                      HindsightCell({}, 2)});

  const CellSummary deepthink = Summarize(results[0]), riddles = Summarize(results[1]);
  const CellSummary best = Summarize(results[2]), capped = Summarize(results[3]);
  EXPECT_EQ(best.success, 1);
  EXPECT_EQ(best.calls, riddles.calls);
  EXPECT_NEAR(best.value, 1 - 0.1 * best.calls, 1e-6);
  EXPECT_EQ(best.proven, 60);
  EXPECT_EQ(best.bound, best.value);
  EXPECT_EQ(best.gflops, riddles.gflops);  // It pays for QUICK and its calls, not for the search.
  EXPECT_LT(best.gflops, deepthink.gflops);
  EXPECT_LT(capped.success, 1);
  EXPECT_EQ(capped.budget_violations, 0);
  EXPECT_EQ(Summarize(results[4]).calls, 0);  // A call costs more than there is to earn.
  for (std::size_t i = 0; i < 60; ++i) {
    const EpisodeRow& row = results[2].rows[i];
    ASSERT_TRUE(row.plan);
    EXPECT_EQ(row.result.calls, results[1].rows[i].result.calls) << i;
    EXPECT_EQ(row.plan->calls.size(), static_cast<std::size_t>(row.result.steps));
    EXPECT_FALSE(results[1].rows[i].plan);
  }
}

TEST_F(EvaluationHindsight, APlanThatGoesOtherwiseWhenItIsActedOutIsAnError) {
  std::atomic<int> asked = 0;
  FakeLanguageModel moody([&](const core::LmRequest& request) {
    return FakeLanguageModel::Choosing(request, ++asked % 3 == 0 ? 1 : 0);
  });
  Evaluator evaluator(Episodes(20, 1), CountingParts(moody));

  EXPECT_THROW(evaluator.Run({HindsightCell({}, 0.01)}), core::Error);
}

TEST_F(EvaluationHindsight, WhatMakesNoCopiesIsNotSearched) {
  Evaluator evaluator(Episodes(5), CorridorParts());

  EXPECT_THROW(evaluator.Run({HindsightCell({}, 0.01)}), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors
