#include "actors/switching/swift_sage_switcher.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "actors/switcher_features.h"

namespace londi::actors {
namespace {

// Makes the features of an episode and lets the rule decide; all LMs propose `action`.
class Episode {
 public:
  Episode() { features_.StartEpisode(100); }

  bool Decide(const std::string& seen, int action = 0, double reward = 0) {
    const std::vector<std::string> actions = {"a", "b", "c", "d", "e", "f", "g", "h"};
    features_.Observe({.mission = "m", .sentences = {seen}}, reward);
    core::Decision decision;
    decision.quick.action = action;
    const auto made = features_.Make(decision.quick, actions);
    decision.choice = rule_.Choose({.features = made});
    features_.Record(decision, actions[static_cast<std::size_t>(action)]);
    return decision.choice.activate;
  }

 private:
  SwitcherFeatures features_;
  SwiftSageSwitcher rule_;
};

TEST(SwiftSageSwitcher, StaysWithQuickWhileThereIsProgress) {
  Episode episode;
  for (int step = 0; step < 20; ++step)
    EXPECT_FALSE(episode.Decide("place " + std::to_string(step))) << step;
}

TEST(SwiftSageSwitcher, CallsDeepthinkAfterFiveStepsWithoutProgressTwiceInARowAtMost) {
  Episode episode;
  std::string choices;
  for (int step = 0; step < 8; ++step) choices += episode.Decide("wall", step) ? '1' : '0';
  EXPECT_EQ(choices, "00000110");

  EXPECT_FALSE(episode.Decide("a door", 0));  // Something new.
}

TEST(SwiftSageSwitcher, ARewardIsProgress) {
  Episode episode;
  for (int step = 0; step < 5; ++step) EXPECT_FALSE(episode.Decide("wall", step));

  EXPECT_FALSE(episode.Decide("wall", 5, 1.0));
}

TEST(SwiftSageSwitcher, CallsDeepthinkWhereQuickRepeatsWhatFailedTwice) {
  Episode episode;
  EXPECT_FALSE(episode.Decide("wall"));
  EXPECT_FALSE(episode.Decide("wall"));
  EXPECT_TRUE(episode.Decide("wall"));
  EXPECT_FALSE(episode.Decide("wall", 1));  // Another idea.
}

TEST(SwiftSageSwitcher, TwoCallsInARowGiveTheWordBackToQuick) {
  Episode episode;
  std::string choices;
  for (int step = 0; step < 9; ++step) choices += episode.Decide("wall") ? '1' : '0';
  EXPECT_EQ(choices, "001101101");
}

}  // namespace
}  // namespace londi::actors
