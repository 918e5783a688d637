#include "actors/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "actors/caching_language_model.h"
#include "actors/seeds.h"
#include "actors/switcher_features.h"
#include "core/error.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/refuses.h"
#include "tests/support/switcher_weights.h"
#include "tests/unit/actors/evaluator_fixture.h"

namespace londi::actors {
namespace {

using std::chrono::milliseconds;
using testing::CountingEnvironment;
using testing::FakeLanguageModel;

TEST_F(EvaluatorTest, PlaysTheSameSeedsInAllCells) {
  EvaluationOptions options = Episodes(20);
  options.first_seed = 100;
  Evaluator evaluator(options, CorridorParts());

  const auto results = evaluator.Run({AlwaysQuickCell(),
                                      AlwaysDeepthinkCell(),
                                      RuleCell({.kind = "random", .rate = 0.5}),
                                      RuleCell({.kind = "entropy", .threshold = 0.6}, 2)});

  ASSERT_EQ(results.size(), 4u);
  for (const CellResult& result : results) {
    const std::vector<std::uint64_t> seeds = SeedsOf(result);
    ASSERT_EQ(seeds.size(), 20u);
    for (std::size_t i = 0; i < seeds.size(); ++i) EXPECT_EQ(seeds[i], 100 + i);
  }
  EXPECT_EQ(seeds_.times.size(), 20u);
  for (const auto& [seed, times] : seeds_.times) EXPECT_EQ(times, 4) << seed;
}

TEST_F(EvaluatorTest, FindsWhatIsTrueOfThePolicies) {
  Evaluator evaluator(Episodes(100), CountingParts());

  const auto results = evaluator.Run(
      {AlwaysQuickCell(), AlwaysDeepthinkCell(), RuleCell({.kind = "entropy", .threshold = 0.4})});

  const CellSummary quick = Summarize(results[0]);
  const CellSummary deepthink = Summarize(results[1]);
  const CellSummary entropy = Summarize(results[2]);
  EXPECT_NEAR(quick.success, 0.1, 0.09);  // 0.75^8: no riddle on the way.
  EXPECT_EQ(quick.calls, 0);
  EXPECT_EQ(deepthink.success, 1);
  EXPECT_EQ(deepthink.calls, CountingEnvironment::kSteps);
  EXPECT_EQ(deepthink.call_share, 1);
  EXPECT_EQ(entropy.success, 1);
  EXPECT_NEAR(entropy.call_share, 0.25, 0.05);
  EXPECT_TRUE(SuccessDifference(results[2], results[0]).excludes_zero());
  EXPECT_FALSE(SuccessDifference(results[2], results[1]).excludes_zero());
}

TEST_F(EvaluatorTest, TheNumberOfThreadsDoesNotMatter) {
  const std::vector<EvaluationCell> cells = {RuleCell({.kind = "random", .rate = 0.4}),
                                             RuleCell({.kind = "random", .rate = 0.4}, 1)};
  Evaluator one(Episodes(40, 1), CountingParts()), four(Episodes(40, 4), CountingParts());

  const auto a = one.Run(cells), b = four.Run(cells);

  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(a[cell].rows[i].result.calls, b[cell].rows[i].result.calls);
      EXPECT_EQ(a[cell].rows[i].result.success, b[cell].rows[i].result.success);
    }
  }
}

TEST_F(EvaluatorTest, NoCellExceedsItsBudget) {
  const auto weights =
      testing::MakeSwitcherWeights({.num_features = NumFeatures(4)}, [] { return 0.0f; });
  testing::FindArray(*weights, "return.gain.bias").values = {1e30f};  // Always wants to call.
  Evaluator::Parts parts = CorridorParts();
  parts.weights = weights;
  Evaluator evaluator(Episodes(10), parts);

  const auto results = evaluator.Run({SwitcherCell(0.01, 0),
                                      SwitcherCell(0.01, 3),
                                      RuleCell({.kind = "random", .rate = 1}, 2),
                                      SwitcherCell(0.3)});

  const double expected[] = {0, 3, 2, 10};
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(Summarize(results[i]).calls, expected[i]) << i;
    EXPECT_EQ(Summarize(results[i]).budget_violations, 0) << i;
  }
}

TEST_F(EvaluatorTest, TakesNoMoreSeedsWhenTheTimeIsUpButTheLeastThatWereAskedFor) {
  FakeLanguageModel slow([this](const core::LmRequest& request) {
    clock_.Advance(milliseconds(1));
    return FakeLanguageModel::Hashed(request, "m");
  });
  Evaluator::Parts parts{.make_environment = [this] { return std::make_unique<Corridor>(seeds_); },
                         .quick = slow,
                         .deepthink = slow,
                         .clock = clock_};
  EvaluationOptions options = Episodes(1000, 1);
  const auto played = [&](std::int64_t least, milliseconds time) {
    options.min_episodes = least;
    options.time = time;
    Evaluator evaluator(options, parts);
    const auto results = evaluator.Run({AlwaysQuickCell(), AlwaysQuickCell()});  // 20 ms a seed.
    EXPECT_EQ(SeedsOf(results[0]), SeedsOf(results[1]));
    return results[0].rows.size();
  };

  EXPECT_EQ(played(1, milliseconds(90)), 5u);
  EXPECT_EQ(played(8, milliseconds(90)), 8u);
}

TEST_F(EvaluatorTest, AStopKeepsTheCellsPaired) {
  Evaluator* running = nullptr;
  Evaluator::Parts parts = CorridorParts();
  std::atomic<std::int64_t> done = 0;
  parts.on_progress = [&](const EvaluationProgress& progress) {
    EXPECT_EQ(progress.seeds, 500);
    done = std::max(done.load(), progress.seeds_done);
    if (progress.seeds_done >= 5) running->RequestStop();
  };
  Evaluator evaluator(Episodes(500, 3), parts);
  running = &evaluator;

  const auto results = evaluator.Run(
      {AlwaysQuickCell(), RuleCell({.kind = "random", .rate = 0.5}), AlwaysDeepthinkCell()});

  EXPECT_GE(results[0].rows.size(), 5u);
  EXPECT_LT(results[0].rows.size(), 500u);
  EXPECT_EQ(SeedsOf(results[0]), SeedsOf(results[1]));
  EXPECT_EQ(SeedsOf(results[0]), SeedsOf(results[2]));
  for (const EpisodeRow& row : results[2].rows) EXPECT_TRUE(row.result.finished);
}

TEST_F(EvaluatorTest, TheSeedUnderWayAtAStopIsLeftOutOfAllCells) {
  Evaluator* running = nullptr;
  int asked = 0;
  FakeLanguageModel stopping([&](const core::LmRequest& request) {
    if (++asked == 45) running->RequestStop();  // In the second cell of the second seed.
    return FakeLanguageModel::Hashed(request, "m");
  });
  Evaluator::Parts parts = CorridorParts();
  Evaluator evaluator(Episodes(500, 1),
                      {.make_environment = parts.make_environment,
                       .quick = stopping,
                       .deepthink = stopping,
                       .clock = clock_});
  running = &evaluator;

  const auto results = evaluator.Run({AlwaysQuickCell(), AlwaysQuickCell(), AlwaysQuickCell()});

  for (const CellResult& result : results)
    EXPECT_EQ(SeedsOf(result), (std::vector<std::uint64_t>{0}));
}

TEST_F(EvaluatorTest, PlaysAnEpisodeAgainThatAnLmLeftUnanswered) {
  int asked = 0;
  FakeLanguageModel flaky([&](const core::LmRequest& request) {
    if (++asked == 3) throw core::UnavailableError({.what = "no worker"});
    return quick_.Propose(request);
  });
  EvaluationOptions options = Episodes(5, 1);
  options.attempts = 2;
  Evaluator patient(options, CountingParts(flaky));
  Evaluator undisturbed(Episodes(5, 1), CountingParts());

  const auto results = patient.Run({AlwaysDeepthinkCell()});
  const auto expected = undisturbed.Run({AlwaysDeepthinkCell()});

  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(results[0].rows[i].result.steps, expected[0].rows[i].result.steps);
  asked = 0;
  options.attempts = 1;
  Evaluator impatient(options, CountingParts(flaky));
  EXPECT_THROW(impatient.Run({AlwaysQuickCell()}), core::UnavailableError);
}

TEST_F(EvaluatorTest, RememberedAnswersCountLikeFreshOnes) {
  const std::vector<EvaluationCell> cells = {AlwaysQuickCell(),
                                             RuleCell({.kind = "entropy", .threshold = 0.4}),
                                             RuleCell({.kind = "random", .rate = 0.3})};
  CachingLanguageModel caching(quick_, 1000);
  Evaluator fresh(Episodes(20), CountingParts()), remembering(Episodes(20), CountingParts(caching));

  const auto expected = fresh.Run(cells), results = remembering.Run(cells);

  EXPECT_GT(caching.num_hits(), 0);
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    const CellSummary a = Summarize(expected[cell]), b = Summarize(results[cell]);
    EXPECT_EQ(a.success, b.success);
    EXPECT_EQ(a.calls, b.calls);
    EXPECT_EQ(a.quick_tokens, b.quick_tokens);
    EXPECT_DOUBLE_EQ(a.gflops, b.gflops);
  }
}

TEST_F(EvaluatorTest, ASwitcherCellNeedsWeights) {
  Evaluator evaluator(Episodes(5), CountingParts());

  EXPECT_THROW(evaluator.Run({AlwaysQuickCell(), SwitcherCell(0.1)}), core::ConfigError);
  EXPECT_THROW(evaluator.Run({RuleCell({.kind = "disagreement"})}), core::ConfigError);
}

TEST(EvaluationOptions, RefuseSeedsThatAreNotUnseenAndWhatCannotWork) {
  const auto refused = testing::Refuses<EvaluationOptions>;
  EXPECT_FALSE(refused([](EvaluationOptions&) {}));
  EXPECT_FALSE(refused([](EvaluationOptions& o) { o.first_seed = kFirstCalibrationSeed - 2000; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.first_seed = kFirstCalibrationSeed - 1999; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.first_seed = ~std::uint64_t{0}; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.episodes = 0; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.min_episodes = o.episodes + 1; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.threads = 0; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.attempts = 0; }));
  EXPECT_TRUE(refused([](EvaluationOptions& o) { o.time = milliseconds(-1); }));
  EXPECT_THROW((CalibrationOptions{.episodes = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((CalibrationOptions{.tries = 0}.Validate()), core::ConfigError);
}

EpisodeRow MakeRow(std::uint64_t seed, bool success, int steps, int calls) {
  EpisodeResult result{.finished = true,
                       .success = success,
                       .kind = "k",
                       .total_reward = success ? 0.5 : 0.0,
                       .steps = steps,
                       .calls = calls,
                       .total_time = milliseconds(10 * steps)};
  result.spent = calls;
  result.quick = {.tokens = 4 * steps, .gflops = 0.5 * steps, .compute_ms = 1.0 * steps};
  result.deepthink = {.tokens = 9 * calls, .gflops = 8.0 * calls, .compute_ms = 5.0 * calls};
  return {.seed = seed, .result = result};
}

TEST(Summarize, AveragesOverEpisodesAndSharesOverSteps) {
  const CellResult result{.cell = RuleCell({.kind = "random", .rate = 0.5}, 3),
                          .rows = {MakeRow(1, true, 10, 4), MakeRow(2, false, 30, 0)}};

  const CellSummary summary = Summarize(result);

  EXPECT_EQ(summary.episodes, 2);
  EXPECT_DOUBLE_EQ(summary.success, 0.5);
  EXPECT_DOUBLE_EQ(summary.total_reward, 0.25);
  EXPECT_DOUBLE_EQ(summary.steps, 20);
  EXPECT_DOUBLE_EQ(summary.calls, 2);
  EXPECT_DOUBLE_EQ(summary.call_share, 0.1);
  EXPECT_DOUBLE_EQ(summary.quick_tokens, 80);
  EXPECT_DOUBLE_EQ(summary.deepthink_tokens, 18);
  EXPECT_DOUBLE_EQ(summary.gflops, 10 + 16);
  EXPECT_DOUBLE_EQ(summary.lm_ms_per_decision, (40 + 20) / 40.0);
  EXPECT_DOUBLE_EQ(summary.total_ms_per_decision, 10);
  EXPECT_EQ(summary.budget_violations, 1);  // 4 calls under a budget of 3.
}

// FakeLanguageModel's answers take 5 tokens, and it does not look at what it may spend.
TEST_F(EvaluatorTest, ABudgetOfTokensIsCountedInTokensAlsoWhereAWorkerDoesNotHoldToIt) {
  EvaluationCell cell = RuleCell({.kind = "random", .rate = 1}, 12);
  cell.terms.meter = core::BudgetMeter(core::BudgetUnit::kTokens, 5);
  FakeLanguageModel honest([](const core::LmRequest& request) {
    if (!request.Admits(5, 0)) throw core::OverBudgetError({"too dear", "", ""});
    return FakeLanguageModel::Hashed(request, "aa");
  });
  Evaluator::Parts parts = CorridorParts();
  const CellSummary dishonest = Summarize(Evaluator(Episodes(4), parts).Run({cell}).front());
  Evaluator::Parts honest_parts{.make_environment = parts.make_environment,
                                .quick = hashed_,
                                .deepthink = honest,
                                .clock = clock_};
  const CellSummary held = Summarize(Evaluator(Episodes(4), honest_parts).Run({cell}).front());

  EXPECT_EQ(dishonest.calls, 3);
  EXPECT_EQ(dishonest.budget_violations, 4);
  EXPECT_EQ(held.calls, 2);
  EXPECT_EQ(held.refused, 8);  // In all other steps: 2 tokens are left.
  EXPECT_EQ(held.deepthink_tokens, 10);
  EXPECT_EQ(held.budget_violations, 0);
}

TEST(Summarize, OfNothingIsNothing) {
  const CellSummary summary = Summarize({.cell = AlwaysQuickCell()});

  EXPECT_EQ(summary.episodes, 0);
  EXPECT_EQ(summary.success, 0);
  EXPECT_EQ(summary.success_interval.high, 1);
  EXPECT_EQ(summary.call_share, 0);
}

TEST(SuccessDifference, PairsByCommonSeeds) {
  const CellResult a{
      .rows = {MakeRow(1, true, 1, 0), MakeRow(3, true, 1, 0), MakeRow(4, false, 1, 0)}};
  const CellResult b{
      .rows = {MakeRow(2, false, 1, 0), MakeRow(3, false, 1, 0), MakeRow(4, false, 1, 0)}};

  EXPECT_DOUBLE_EQ(SuccessDifference(a, b).mean, 0.5);  // Seeds 3 and 4.
  EXPECT_FALSE(SuccessDifference(a, {}).excludes_zero());
}

}  // namespace
}  // namespace londi::actors
