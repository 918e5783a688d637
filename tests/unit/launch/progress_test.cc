#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "launch/finetune_line.h"
#include "launch/progress_meter.h"
#include "launch/progress_totals.h"
#include "tests/support/fake_clock.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

ProgressTotals TwoActors() {
  ProgressTotals totals;
  totals.Update(
      "actor.0", core::Incarnation(1), {{counter::kDecisions, 100}, {counter::kWeights, 4}});
  totals.Update(
      "actor.1", core::Incarnation(2), {{counter::kDecisions, 50}, {counter::kWeights, 7}});
  totals.Update("learner", core::Incarnation(3), {{counter::kUpdates, 9}, {counter::kWeights, 8}});
  return totals;
}

TEST(ProgressTotals, ARestartedProcessCountsOnTopOfItsFormerLife) {
  ProgressTotals totals = TwoActors();

  totals.Update(
      "actor.0", core::Incarnation(9), {{counter::kDecisions, 5}, {counter::kWeights, 8}});
  totals.Update(
      "actor.0", core::Incarnation(9), {{counter::kDecisions, 6}, {counter::kWeights, 8}});

  EXPECT_EQ(totals.Sum("actor", counter::kDecisions), 156);
  EXPECT_THAT(totals.Range("actor", counter::kWeights), Pair(7, 8));
}

TEST(ProgressTotals, SurvivesARestartOfTheCoordinator) {
  const ProgressTotals read = ProgressTotals::FromJson(TwoActors().ToJson());

  EXPECT_EQ(read.Sum("actor", counter::kDecisions), 150);
  EXPECT_EQ(read.Range("learner", counter::kUpdates).second, 9);
  EXPECT_THROW(ProgressTotals::FromJson("{\"lives\": 3"), core::IoError);
  EXPECT_THROW(ProgressTotals::FromJson("{}"), core::IoError);
}

TEST(ProgressMeter, RatesAreThoseOfTheWindow) {
  testing::FakeClock clock;
  ProgressMeter meter(std::chrono::seconds(10));
  meter.Add({.decisions = 1000, .episodes = 100, .successes = 100, .activations = 1000},
            clock.Now());

  ProgressRates rates;
  for (int second = 1; second <= 20; ++second) {
    clock.Advance(std::chrono::seconds(1));
    rates = meter.Add({.decisions = 1000 + 50 * second,
                       .episodes = 100 + 4 * second,
                       .successes = 100 + second,
                       .activations = 1000 + 10 * second,
                       .updates = 2 * second,
                       .published = 9,
                       .oldest_acting = 6},
                      clock.Now());
  }

  EXPECT_DOUBLE_EQ(rates.decisions_per_second, 50);
  EXPECT_DOUBLE_EQ(rates.updates_per_second, 2);
  EXPECT_DOUBLE_EQ(rates.success, 0.25);
  EXPECT_DOUBLE_EQ(rates.deepthink_share, 0.2);
  EXPECT_EQ(rates.weights_lag, 3);
}

TEST(ProgressMeter, ShowsADashWhileThereIsNothingToDivideBy) {
  ProgressMeter meter;
  const ProgressRates rates = meter.Add({}, core::TimePoint{});

  EXPECT_TRUE(std::isnan(rates.success));
  EXPECT_THAT(ProgressLine(rates, std::chrono::seconds(90)),
              AllOf(HasSubstr("success -"), HasSubstr("1 min 30 s left")));
}

}  // namespace
TEST(FinetuneLine, SaysHowFarItIs) {
  const std::string line = FinetuneLine({.step = 300, .steps = 600, .loss = 0.5, .tokens = 10000},
                                        100,
                                        std::chrono::seconds(10),
                                        2000);
  EXPECT_THAT(line, HasSubstr("step 300 of 600 | loss 0.5000"));
  EXPECT_THAT(line, HasSubstr("1000 tokens/s"));
  EXPECT_THAT(line, HasSubstr("15 s left"));
}

// The model card's episodes of an LM that solves little took minutes, with "0 s left".
TEST(FinetuneLine, SaysWhatTheModelCardWaitsFor) {
  const std::string line =
      FinetuneLine({.step = 600, .steps = 600}, 0, std::chrono::seconds(10), 2000);
  EXPECT_THAT(line, HasSubstr("600 steps done | acting in 2000 unseen episodes"));
  EXPECT_THAT(line, Not(HasSubstr("left")));
}

}  // namespace londi::launch
