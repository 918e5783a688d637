#include "actors/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "actors/random.h"

namespace londi::actors {
namespace {

// Numbers of Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3, and R's
// prop.test(correct = FALSE).
TEST(WilsonInterval, AgreesWithPublishedNumbers) {
  const struct {
    std::int64_t successes, n;
    double low, high;
  } cases[] = {
      {81, 263, 0.2553, 0.3662},
      {15, 148, 0.0624, 0.1605},
      {0, 20, 0.0, 0.1611},
      {1, 29, 0.0061, 0.1718},
      {8, 10, 0.4902, 0.9433},
      {50, 100, 0.4038, 0.5962},
  };
  for (const auto& c : cases) {
    const Interval interval = WilsonInterval(c.successes, c.n);
    EXPECT_NEAR(interval.low, c.low, 5e-5) << c.successes << "/" << c.n;
    EXPECT_NEAR(interval.high, c.high, 5e-5) << c.successes << "/" << c.n;
  }
}

TEST(WilsonInterval, StaysWithinAProbabilityAndKnowsNothingOfNothing) {
  EXPECT_NEAR(WilsonInterval(10, 10).high, 1, 1e-12);
  EXPECT_LE(WilsonInterval(10, 10).high, 1);
  EXPECT_EQ(WilsonInterval(0, 10).low, 0);
  EXPECT_EQ(WilsonInterval(0, 0).low, 0);
  EXPECT_EQ(WilsonInterval(0, 0).high, 1);
}

TEST(BootstrapDifference, ConstantDifferencesLeaveNoDoubt) {
  const std::vector<double> a = {1, 2, 3, 4}, b = {0.5, 1.5, 2.5, 3.5};

  const PairedDifference difference = BootstrapDifference(a, b);

  EXPECT_DOUBLE_EQ(difference.mean, 0.5);
  EXPECT_DOUBLE_EQ(difference.interval.low, 0.5);
  EXPECT_DOUBLE_EQ(difference.interval.high, 0.5);
  EXPECT_TRUE(difference.excludes_zero());
}

// For many pairs the bootstrap tends to the normal interval, mean +- 1.96 s / sqrt(n).
TEST(BootstrapDifference, TendsToTheNormalIntervalOfPairs) {
  Random random(3);
  std::vector<double> a, b;
  double sum = 0, squares = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool hard = random.Uniform() < 0.5;  // Common to both: pairing takes it out.
    a.push_back(hard ? 0 : 1);
    b.push_back(hard ? 0 : random.Uniform() < 0.9);
    const double difference = a.back() - b.back();
    sum += difference;
    squares += difference * difference;
  }
  const double mean = sum / 1000;
  const double half = 1.96 * std::sqrt((squares / 1000 - mean * mean) / 1000);

  const PairedDifference difference = BootstrapDifference(a, b);

  EXPECT_DOUBLE_EQ(difference.mean, mean);
  EXPECT_NEAR(difference.interval.low, mean - half, 0.08 * half);
  EXPECT_NEAR(difference.interval.high, mean + half, 0.08 * half);
  EXPECT_TRUE(difference.excludes_zero());
}

TEST(BootstrapDifference, CoversATrueDifferenceOfZeroAsOftenAsItSays) {
  Random random(11);
  int covered = 0;
  constexpr int kRepetitions = 200;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    std::vector<double> a, b;
    for (int i = 0; i < 60; ++i) {
      a.push_back(random.Uniform() < 0.6);
      b.push_back(random.Uniform() < 0.6);
    }
    covered += !BootstrapDifference(a, b, 1, 300).excludes_zero();
  }
  EXPECT_GE(covered, kRepetitions * 0.90);
  EXPECT_LE(covered, kRepetitions * 0.99);
}

TEST(BootstrapDifference, IsAFunctionOfItsInputsAndSeed) {
  const std::vector<double> a = {1, 0, 1, 1, 0, 1}, b = {0, 0, 1, 0, 1, 0};

  const PairedDifference first = BootstrapDifference(a, b, 5);
  const PairedDifference again = BootstrapDifference(a, b, 5);
  const PairedDifference reversed = BootstrapDifference(b, a, 5);

  EXPECT_EQ(first.interval.low, again.interval.low);
  EXPECT_EQ(first.interval.high, again.interval.high);
  EXPECT_DOUBLE_EQ(reversed.mean, -first.mean);
  EXPECT_DOUBLE_EQ(reversed.interval.high, -first.interval.low);
  EXPECT_FALSE(first.excludes_zero());
}

}  // namespace
}  // namespace londi::actors
