#include "actors/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/caching_language_model.h"
#include "actors/seeds.h"
#include "actors/switcher_features.h"
#include "core/error.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/refuses.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using std::chrono::milliseconds;
using testing::CountingEnvironment;
using testing::CountingLm;
using testing::FakeClock;
using testing::FakeLanguageModel;

// How often each seed was played.
struct SeedLog {
  std::mutex mutex;
  std::map<std::uint64_t, int> times;
};

// Ten steps with three actions each; nothing is at stake.
class Corridor final : public core::Environment {
 public:
  explicit Corridor(SeedLog& log) : log_(log) {}
  core::Observation Reset(std::uint64_t seed) override {
    const std::lock_guard lock(log_.mutex);
    ++log_.times[seed];
    seed_ = seed;
    step_ = 0;
    return See();
  }
  core::StepResult Step(std::string_view) override {
    ++step_;
    return {.observation = See(), .truncated = step_ == 10};
  }
  std::vector<std::string> AdmissibleActions() const override { return {"a", "b", "c"}; }
  int MaxSteps() const override { return 10; }
  std::string Kind() const override { return "corridor"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  core::Observation See() const {
    return {.mission = std::to_string(seed_), .sentences = {std::to_string(step_)}};
  }
  SeedLog& log_;
  std::uint64_t seed_ = 0;
  int step_ = 0;
};

// CountingLm's words: four plain ones, then riddles. The first right answer to a riddle ends the
// episode; else it goes on for 40 steps.
class Gate final : public core::Environment {
 public:
  core::Observation Reset(std::uint64_t) override {
    step_ = 0;
    return See();
  }
  core::StepResult Step(std::string_view action) override {
    const bool opened = IsRiddle() && action == "left";
    ++step_;
    return {.observation = See(),
            .reward = opened ? 1.0 : 0.0,
            .terminated = opened,
            .truncated = !opened && step_ == MaxSteps()};
  }
  std::vector<std::string> AdmissibleActions() const override { return {"left", "right"}; }
  int MaxSteps() const override { return 40; }
  std::string Kind() const override { return "gate"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  bool IsRiddle() const { return step_ >= 4; }
  core::Observation See() const {
    return {.mission = "open", .sentences = {IsRiddle() ? "riddle left" : "plain left"}};
  }
  int step_ = 0;
};

EvaluationOptions Episodes(std::int64_t episodes, std::int32_t threads = 4) {
  EvaluationOptions options;
  options.episodes = options.min_episodes = episodes;
  options.threads = threads;
  return options;
}

class EvaluatorTest : public ::testing::Test {
 protected:
  Evaluator::Parts CountingParts() { return CountingParts(quick_); }
  Evaluator::Parts CountingParts(core::LanguageModel& quick) {
    return {.make_environment = [] { return std::make_unique<CountingEnvironment>(); },
            .quick = quick,
            .deepthink = deepthink_,
            .clock = clock_};
  }
  Evaluator::Parts CorridorParts() {
    return {.make_environment = [this] { return std::make_unique<Corridor>(seeds_); },
            .quick = hashed_,
            .deepthink = hashed_,
            .clock = clock_};
  }
  static std::vector<std::uint64_t> SeedsOf(const CellResult& result) {
    std::vector<std::uint64_t> seeds;
    for (const EpisodeRow& row : result.rows) seeds.push_back(row.seed);
    return seeds;
  }

  FakeClock clock_;
  CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  FakeLanguageModel hashed_;
  SeedLog seeds_;
};

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

TEST_F(EvaluatorTest, TheBestPlanInHindsightCallsAtRiddlesOnly) {
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

TEST_F(EvaluatorTest, APlanThatGoesOtherwiseWhenItIsActedOutIsAnError) {
  std::atomic<int> asked = 0;
  FakeLanguageModel moody([&](const core::LmRequest& request) {
    return FakeLanguageModel::Choosing(request, ++asked % 3 == 0 ? 1 : 0);
  });
  Evaluator evaluator(Episodes(20, 1), CountingParts(moody));

  EXPECT_THROW(evaluator.Run({HindsightCell({}, 0.01)}), core::Error);
}

TEST_F(EvaluatorTest, WhatMakesNoCopiesIsNotSearched) {
  Evaluator evaluator(Episodes(5), CorridorParts());

  EXPECT_THROW(evaluator.Run({HindsightCell({}, 0.01)}), core::ConfigError);
}

TEST_F(EvaluatorTest, CalibrationHitsTheWantedRateOnSeedsOfItsOwn) {
  Evaluator evaluator(Episodes(50), CorridorParts());
  for (const std::string kind : {"entropy", "margin", "sequence-prob"}) {
    for (const double wanted : {0.1, 0.5}) {
      seeds_.times.clear();
      const EvaluationCell cell = evaluator.Calibrate(
          RuleCell({.kind = kind}), *FindKnob(kind), wanted, {.episodes = 60, .tries = 9});
      for (const auto& [seed, times] : seeds_.times) {
        EXPECT_GE(seed, kFirstCalibrationSeed);
        EXPECT_LT(seed, kFirstCalibrationSeed + 60);
      }

      const CellSummary unseen = Summarize(evaluator.Run({cell}).front());

      EXPECT_NEAR(unseen.call_share, wanted, 0.06) << kind;  // 500 other steps: 3 standard errors.
      EXPECT_LT(seeds_.times.begin()->first, 50u);
    }
  }
}

TEST_F(EvaluatorTest, CalibrationComesAsCloseAsARuleOfWholeStepsCan) {
  Evaluator evaluator(Episodes(20), CorridorParts());
  for (const std::string kind : {"first", "last"}) {
    const EvaluationCell cell = evaluator.Calibrate(
        RuleCell({.kind = kind}), *FindKnob(kind), 0.32, {.episodes = 5, .tries = 10});

    EXPECT_EQ(Summarize(evaluator.Run({cell}).front()).calls, 3) << kind;  // Of ten steps.
  }
}

TEST_F(EvaluatorTest, BaselinesCallAsOftenAsTheCellTheyAreComparedWith) {
  const auto weights = testing::MakeRandomSwitcherWeights(
      {.num_features = NumFeatures(4), .disagreement_width = 32}, 3);
  Evaluator::Parts parts = CorridorParts();
  parts.weights = weights;
  Evaluator evaluator(Episodes(200), parts);
  std::vector<std::string> kinds = BaselineKinds();
  std::erase(kinds, "swift-sage");  // Has no knob.

  for (const EvaluationCell& cell : {RuleCell({.kind = "entropy", .threshold = 0.7}),
                                     RuleCell({.kind = "entropy", .threshold = 0.7}, 4)}) {
    std::vector<EvaluationCell> cells =
        evaluator.MatchedBaselines(kinds, cell, {.episodes = 60, .tries = 12});
    ASSERT_EQ(cells.size(), kinds.size());
    cells.push_back(cell);

    const auto results = evaluator.Run(cells);

    const double share = Summarize(results.back()).call_share;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      EXPECT_EQ(results[i].cell.name, kinds[i]);
      EXPECT_EQ(results[i].cell.terms.budget, cell.terms.budget);
      EXPECT_EQ(Summarize(results[i]).budget_violations, 0);
      EXPECT_NEAR(Summarize(results[i]).call_share, share, 0.06) << kinds[i];
    }
  }
}

// Who calls at the riddle needs one call in 5 steps; who calls at once spends both in 40.
TEST_F(EvaluatorTest, UnderABudgetCallsCountPerEpisodeBecauseWastedOnesMakeEpisodesLonger) {
  Evaluator::Parts parts = CountingParts();
  parts.make_environment = [] { return std::make_unique<Gate>(); };
  Evaluator evaluator(Episodes(4), parts);
  const EvaluationCell at_riddles = RuleCell({.kind = "entropy", .threshold = 0.4}, 2);
  const EvaluationCell at_once = RuleCell({.kind = "entropy", .threshold = 0}, 2);
  const auto known = evaluator.Run({at_riddles, at_once});
  ASSERT_DOUBLE_EQ(Summarize(known[0]).calls, 1);
  ASSERT_GT(Summarize(known[0]).call_share, Summarize(known[1]).call_share);

  const auto cells =
      evaluator.MatchedBaselines({"entropy"}, at_riddles, {.episodes = 2, .tries = 10});

  const CellSummary matched = Summarize(evaluator.Run(cells).front());
  EXPECT_DOUBLE_EQ(matched.calls, 1);
  EXPECT_DOUBLE_EQ(matched.success, 1);
}

TEST_F(EvaluatorTest, ABaselineWithoutAKnobComesAsItIs) {
  Evaluator evaluator(Episodes(5), CorridorParts());

  const auto cells = evaluator.MatchedBaselines(
      {"swift-sage"}, RuleCell({.kind = "random", .rate = 0.9}, 2), {.episodes = 5});

  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].name, "swift-sage");
  EXPECT_EQ(cells[0].terms.budget, 2);
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
