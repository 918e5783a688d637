#include "actors/switching/schedule_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace londi::actors {
namespace {

// One character per decision of an episode of `steps`: 1 = activates.
std::string Play(core::Switcher& switcher, int steps) {
  switcher.StartEpisode();
  std::string choices;
  for (int i = 0; i < steps; ++i)
    choices += switcher.Choose({.steps_left = steps - i}).activate ? '1' : '0';
  return choices;
}

TEST(RandomBlockSwitcher, HoldsEachDrawForABlock) {
  RandomBlockSwitcher switcher(0.3, 4);
  constexpr int kBlocks = 4000;
  int activated = 0;
  for (int block = 0; block < kBlocks; ++block) {
    const core::SwitchChoice drawn = switcher.Choose({});
    ASSERT_FLOAT_EQ(drawn.behaviour_prob, drawn.activate ? 0.3f : 0.7f);
    activated += drawn.activate;
    for (int i = 1; i < RandomBlockSwitcher::kBlock; ++i) {
      const core::SwitchChoice held = switcher.Choose({});
      ASSERT_EQ(held.activate, drawn.activate);
      ASSERT_FLOAT_EQ(held.behaviour_prob, 1);
    }
  }

  EXPECT_NEAR(activated, 0.3 * kBlocks, 3 * 29);
}

TEST(RandomBlockSwitcher, AnEpisodeBeginsWithABlockOfItsOwn) {
  RandomBlockSwitcher switcher(0.5, 4);
  for (int episode = 0; episode < 50; ++episode) {
    switcher.StartEpisode();
    ASSERT_FLOAT_EQ(switcher.Choose({}).behaviour_prob, 0.5f);
    ASSERT_FLOAT_EQ(switcher.Choose({}).behaviour_prob, 1);
  }
}

TEST(EveryKSwitcher, ActivatesOnceInEveryK) {
  EveryKSwitcher every_fourth(0.25), two_in_five(0.4), always(1), never(0);

  EXPECT_EQ(Play(every_fourth, 12), "010001000100");
  EXPECT_EQ(Play(every_fourth, 6), "010001");  // A new episode counts anew.
  EXPECT_EQ(Play(two_in_five, 10), "0101001010");
  EXPECT_EQ(Play(always, 5), "11111");
  EXPECT_EQ(Play(never, 5), "00000");
}

TEST(FirstSwitcher, SpendsEverythingAtOnce) {
  FirstSwitcher three(3), none(0.5);

  EXPECT_EQ(Play(three, 6), "111000");
  EXPECT_EQ(Play(three, 2), "11");
  EXPECT_EQ(Play(three, 5), "11100");
  EXPECT_EQ(Play(none, 3), "000");
}

TEST(LastSwitcher, WaitsForTheEnd) {
  LastSwitcher two(2);

  EXPECT_EQ(Play(two, 6), "000011");
  EXPECT_EQ(Play(two, 1), "1");
}

}  // namespace
}  // namespace londi::actors
