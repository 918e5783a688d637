#include "learner/run_length.h"

#include <gtest/gtest.h>

namespace londi::learner {
namespace {

using std::chrono::minutes;

TEST(RunProgress, GoesByTheLimitThatIsNearest) {
  const RunLength length{.updates = 100, .rows = 1000, .time = minutes(10)};
  EXPECT_EQ(RunProgress(length, 25, 100, minutes(1)), 0.25);
  EXPECT_EQ(RunProgress(length, 25, 500, minutes(1)), 0.5);
  EXPECT_EQ(RunProgress(length, 25, 500, minutes(9)), 0.9);
}

TEST(RunProgress, CountsTheTimeOfFormerLives) {
  EXPECT_EQ(RunProgress({.time = minutes(10), .time_before = minutes(5)}, 0, 0, minutes(2)), 0.7);
}

TEST(RunProgress, EndsAtOne) {
  EXPECT_EQ(RunProgress({.updates = 100}, 130, 0, minutes(0)), 1);
  EXPECT_EQ(RunProgress({.time = minutes(10)}, 0, 0, minutes(11)), 1);
}

TEST(RunProgress, StaysAtZeroWhereThereIsNoEnd) {
  EXPECT_EQ(RunProgress({.time_before = minutes(5)}, 130, 1000, minutes(11)), 0);
}

}  // namespace
}  // namespace londi::learner
