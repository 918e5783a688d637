#include "launch/study/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace londi::launch::study {
namespace {

TEST(InterquartileMean, IsTheMeanOfTheMiddleHalf) {
  EXPECT_DOUBLE_EQ(InterquartileMean({100, 1, 3, 2, 4, 5, 6, -50}), 3.5);  // 2 3 4 5, and 2 cut.
  EXPECT_DOUBLE_EQ(InterquartileMean({1, 2, 3, 4, 100}), 3);               // A quarter of 5: 1.
  EXPECT_DOUBLE_EQ(InterquartileMean({1, 2, 9}), 4);                       // Of 3: none.
  EXPECT_DOUBLE_EQ(InterquartileMean({7}), 7);
  EXPECT_TRUE(std::isnan(InterquartileMean({})));
}

TEST(ProbabilityOfImprovement, CountsPairsAndHalfOfTheTies) {
  const std::vector<double> low = {1, 2, 3}, high = {4, 5}, mixed = {2, 4};
  EXPECT_EQ(ProbabilityOfImprovement(high, low), 1);
  EXPECT_EQ(ProbabilityOfImprovement(low, high), 0);
  EXPECT_EQ(ProbabilityOfImprovement(low, low), 0.5);
  EXPECT_DOUBLE_EQ(ProbabilityOfImprovement(mixed, low), (1.5 + 3) / 6);
  EXPECT_TRUE(std::isnan(ProbabilityOfImprovement(low, {})));
}

TEST(PercentileInterval, LeavesTwoAndAHalfPercentOutAtEitherEnd) {
  std::vector<double> values;
  for (int i = 1000; i >= 0; --i) values.push_back(i);
  values.push_back(std::numeric_limits<double>::quiet_NaN());

  const actors::Interval interval = PercentileInterval(values);

  EXPECT_EQ(interval.low, 25);
  EXPECT_EQ(interval.high, 975);
  EXPECT_TRUE(std::isnan(PercentileInterval({}).low));
}

TEST(Frontier, IsTheBestSuccessWithAtMostSoManyCalls) {
  const Frontier frontier({{1, 0.9}, {0, 0.5}, {0.2, 0.7}, {0.4, 0.6}});  // The last is dominated.

  EXPECT_DOUBLE_EQ(frontier.SuccessAt(0), 0.5);
  EXPECT_DOUBLE_EQ(frontier.SuccessAt(0.1), 0.6);
  EXPECT_DOUBLE_EQ(frontier.SuccessAt(0.2), 0.7);
  EXPECT_DOUBLE_EQ(frontier.SuccessAt(0.6), 0.8);  // Not through the dominated point.
  EXPECT_DOUBLE_EQ(frontier.SuccessAt(1), 0.9);
}

TEST(Frontier, FindsTheFewestCalls) {
  const Frontier frontier({{0.1, 0.5}, {0.2, 0.7}, {0.2, 0.6}, {1, 0.9}});

  EXPECT_DOUBLE_EQ(*frontier.CallsFor(0.4), 0.1);
  EXPECT_DOUBLE_EQ(*frontier.CallsFor(0.6), 0.15);
  EXPECT_DOUBLE_EQ(*frontier.CallsFor(0.7), 0.2);
  EXPECT_DOUBLE_EQ(*frontier.CallsFor(0.8), 0.6);
  EXPECT_FALSE(frontier.CallsFor(0.91));
}

TEST(Frontier, AreaOfTheRecoveredGap) {
  EXPECT_DOUBLE_EQ(Frontier({{0, 0.5}, {1, 0.9}}).RecoveredArea(0.5, 0.9), 0.5);  // By chance.
  EXPECT_DOUBLE_EQ(Frontier({{0, 0.9}}).RecoveredArea(0.5, 0.9), 1);              // For nothing.
  EXPECT_DOUBLE_EQ(Frontier({{0, 0.5}, {0.25, 0.9}, {1, 0.9}}).RecoveredArea(0.5, 0.9), 0.875);
  EXPECT_DOUBLE_EQ(Frontier({{0, 0.5}, {0.5, 0.7}}).RecoveredArea(0.5, 0.9), 0.375);
  EXPECT_TRUE(std::isnan(Frontier({{0, 0.5}}).RecoveredArea(0.5, 0.5)));
}

}  // namespace
}  // namespace londi::launch::study
