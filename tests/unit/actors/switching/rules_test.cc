#include "actors/switching/rules.h"

#include <gtest/gtest.h>

namespace londi::actors {
namespace {

TEST(RandomSwitcher, ActivatesAtItsRateAndSaysWithWhichProbability) {
  RandomSwitcher switcher(0.3, 5);
  int activated = 0;
  for (int i = 0; i < 20'000; ++i) {
    const core::SwitchChoice choice = switcher.Choose({});
    activated += choice.activate;
    ASSERT_FLOAT_EQ(choice.behaviour_prob, choice.activate ? 0.3f : 0.7f);
  }

  EXPECT_NEAR(activated, 6000, 3 * 65);
}

TEST(RandomSwitcher, RatesOfZeroAndOneAreCertain) {
  RandomSwitcher never(0, 1), always(1, 1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_FALSE(never.Choose({}).activate);
    ASSERT_TRUE(always.Choose({}).activate);
  }
}

TEST(RandomSwitcher, TheSeedDecides) {
  RandomSwitcher a(0.5, 9), same(0.5, 9), other(0.5, 10);
  int differ = 0;
  for (int i = 0; i < 200; ++i) {
    const bool choice = a.Choose({}).activate;
    ASSERT_EQ(choice, same.Choose({}).activate);
    differ += choice != other.Choose({}).activate;
  }
  EXPECT_GT(differ, 50);
}

TEST(AlwaysAndNever, DoWhatTheySay) {
  EXPECT_TRUE(AlwaysSwitcher().Choose({}).activate);
  EXPECT_FALSE(NeverSwitcher().Choose({}).activate);
}

}  // namespace
}  // namespace londi::actors
