#include "core/switcher_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace londi::core::switcher_network {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
TEST(Values, SplitTheAdvantageEvenlyBetweenTheChoices) {
  const Values values{
      .return_value = 2, .return_advantage = 1, .calls_value = 5, .calls_advantage = -2};

  EXPECT_FLOAT_EQ(values.Return(true), 2.5f);
  EXPECT_FLOAT_EQ(values.Return(false), 1.5f);
  EXPECT_FLOAT_EQ(values.Calls(true), 4);
  EXPECT_FLOAT_EQ(values.Calls(false), 6);
  EXPECT_FLOAT_EQ(values.Advantage(0.5f), 2);
}

TEST(Values, AnAdvantageActivatesAndATieOrANaNStaysWithQuick) {
  const auto activates = [](float return_advantage, float calls_advantage, float cost) {
    return Values{.return_advantage = return_advantage, .calls_advantage = calls_advantage}
        .Activates(cost);
  };

  EXPECT_TRUE(activates(0.5f, 4, 0.1f));
  EXPECT_FALSE(activates(0.5f, 5, 0.1f));
  EXPECT_FALSE(activates(kNaN, 1, 0));
  EXPECT_FALSE(activates(1, kNaN, 0.1f));
  EXPECT_FALSE(activates(0, 1, 0));  // As before any training.
}

// As where the LMs agree and an errant S says that less of a budget is worth more.
TEST(Values, AShadowPriceBelowZeroActivatesNothing) {
  Values values{.return_advantage = 0.5f, .calls_advantage = 1 - 0.25f};
  values.return_shadow = 0.5f;
  values.calls_shadow = -0.25f;
  EXPECT_FLOAT_EQ(values.Difference(0.2f), 0.5f - 0.2f * 0.75f);
  EXPECT_FLOAT_EQ(values.Advantage(0.2f), -0.2f);  // What is left is the call's own price.
  EXPECT_FALSE(values.Activates(0.2f));

  values.return_advantage = 0.1f;  // A gain of 0.6 and a price of 0.5.
  values.return_shadow = -0.5f;
  values.calls_shadow = 0;
  EXPECT_FLOAT_EQ(values.Advantage(0.1f), values.Difference(0.1f));
}

TEST(MemoryStart, BeginsAnewOncePerWindowAndKnowsAtLeastOne) {
  for (const int window : {1, 3, 32}) {
    for (int step = 0; step < 5 * window; ++step) {
      const int start = MemoryStart(step, window), before = step - start;
      EXPECT_EQ(start % window, 0);
      EXPECT_GE(before, std::min(step, window));
      EXPECT_LT(before, 2 * window);
    }
  }
  EXPECT_EQ(MemoryStart(63, 32), 0);
  EXPECT_EQ(MemoryStart(64, 32), 32);
}

}  // namespace
}  // namespace londi::core::switcher_network
