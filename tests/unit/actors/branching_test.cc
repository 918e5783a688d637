#include "actors/branching.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <vector>

#include "actors/switching/rules.h"
#include "actors/switching/threshold_switcher.h"
#include "core/error.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"

namespace londi::actors {
namespace {

using core::Transition;
using testing::CountingEnvironment;
using testing::CountingLm;
using testing::FakeClock;

std::unique_ptr<core::Switcher> AtRiddles() {
  return std::make_unique<ThresholdSwitcher>(Entropy, 0.4);
}

// Remembers the steps of each episode; leaves it after `most` of them.
class Recorder final : public EpisodeObserver {
 public:
  int most = 1000;

  bool AfterStep(const StepRecord& record) override {
    auto& steps = episodes[record.episode.id.value];
    steps.push_back({record.step,
                     record.remaining,
                     record.episode.terms.budget,
                     record.decision.deepthink.has_value()});
    return static_cast<int>(steps.size()) < most;
  }

  struct Step {
    int step, remaining, budget;
    bool called;
  };
  std::map<std::int64_t, std::vector<Step>> episodes;
};

class BrancherTest : public ::testing::Test {
 protected:
  // `make`: the greedy Switcher, of the episode and of its copies.
  template <class Make>
  BranchedEpisode Run(Make make,
                      std::uint64_t seed,
                      std::int32_t budget = core::BudgetGovernor::kUnlimited,
                      double rate = 1,
                      double gamma = 1) {
    auto greedy = make();
    ForcedSwitcher forced(make());
    DecisionMaker maker(quick_, deepthink_, *greedy, clock_, std::chrono::seconds(1));
    DecisionMaker copies(quick_, deepthink_, forced, clock_, std::chrono::seconds(1));
    std::int64_t next_copy = 100;
    Brancher brancher({.share = 1, .rate = rate, .gamma = gamma},
                      {.decision_maker = copies,
                       .switcher = forced,
                       .observer = copies_,
                       .name =
                           [&](const EpisodeSetup& original) {
                             EpisodeSetup setup = original;
                             setup.id = core::EpisodeId(next_copy++);
                             return setup;
                           }},
                      /*seed=*/5);
    return brancher.Run(
        world_, maker, {.seed = seed, .terms = {.budget = budget}}, clock_, original_);
  }

  // The steps at which the episode of `seed` asks a riddle.
  std::vector<std::int32_t> Riddles(std::uint64_t seed) {
    std::vector<std::int32_t> steps;
    const auto switcher = AtRiddles();
    DecisionMaker maker(quick_, deepthink_, *switcher, clock_, std::chrono::seconds(1));
    Recorder recorder;
    RunEpisode(world_, maker, {.seed = seed}, clock_, recorder);
    for (const Recorder::Step& step : recorder.episodes[0]) {
      if (step.called) steps.push_back(step.step);
    }
    return steps;
  }

  FakeClock clock_;
  CountingEnvironment world_;
  CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  Recorder original_, copies_;
};

TEST_F(BrancherTest, ACallThatIsNeededIsWorthTheTaskAndTheCallsThatFollow) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<std::int32_t> riddles = Riddles(seed);

    const BranchedEpisode episode = Run(AtRiddles, seed);

    EXPECT_TRUE(episode.result.success);
    ASSERT_EQ(episode.gains.size(), riddles.size());
    for (std::size_t i = 0; i < riddles.size(); ++i) {
      const Transition::Gain expected{1, static_cast<float>(riddles.size() - i)};
      EXPECT_EQ(episode.gains.at(riddles[i]), expected);
    }
  }
}

// They were sums where the critics' returns are discounted: a success far off was worth 1.
TEST_F(BrancherTest, GainsAreDiscountedAsTheCriticsReturnsAre) {
  std::uint64_t seed = 0;
  while (Riddles(seed).size() != 2) ++seed;
  const std::vector<std::int32_t> riddles = Riddles(seed);

  const BranchedEpisode episode =
      Run(AtRiddles, seed, core::BudgetGovernor::kUnlimited, /*rate=*/1, /*gamma=*/0.5);

  const int last = episode.result.steps - 1;
  const auto gain = [&](std::size_t riddle, float calls) {
    return Transition::Gain{std::pow(0.5f, static_cast<float>(last - riddles[riddle])), calls};
  };
  EXPECT_EQ(episode.gains.at(riddles[1]), gain(1, 1));
  EXPECT_EQ(episode.gains.at(riddles[0]),
            gain(0, 1 + std::pow(0.5f, static_cast<float>(riddles[1] - riddles[0]))));
}

TEST_F(BrancherTest, ACallThatAnotherMistakeFollowsIsWorthNothing) {
  int saved = 0, wasted = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::vector<std::int32_t> riddles = Riddles(seed);

    const BranchedEpisode episode = Run([] { return std::make_unique<NeverSwitcher>(); }, seed);

    EXPECT_EQ(episode.result.calls, 0);
    if (riddles.empty()) {
      EXPECT_TRUE(episode.gains.empty());
      continue;
    }
    ASSERT_EQ(episode.gains.size(), 1u);  // It ends at the first riddle.
    const bool only_one = riddles.size() == 1;
    EXPECT_EQ(episode.gains.at(riddles[0]), (Transition::Gain{only_one ? 1.0f : 0.0f, 1}));
    ++(only_one ? saved : wasted);
  }
  EXPECT_GT(saved, 0);
  EXPECT_GT(wasted, 0);
}

TEST_F(BrancherTest, ACopyGoesOnWithWhatIsLeftOfTheBudgetAndNothingIsCopiedWithout) {
  std::uint64_t seed = 0;
  while (Riddles(seed).size() < 3) ++seed;
  const std::vector<std::int32_t> riddles = Riddles(seed);

  const BranchedEpisode episode = Run(AtRiddles, seed, /*budget=*/2);

  EXPECT_FALSE(episode.result.success);
  EXPECT_EQ(episode.gains,
            (std::map<std::int32_t, Transition::Gain>{{riddles[0], {0, 2}}, {riddles[1], {0, 1}}}));
  for (const auto& [id, steps] : copies_.episodes) {
    EXPECT_EQ(steps[0].remaining, steps[0].budget);
    EXPECT_GE(steps[0].remaining, 1);
  }
}

TEST_F(BrancherTest, CopiesAreEpisodesOfTheirOwnThatBeginWhereTheyWereMade) {
  std::uint64_t seed = 0;
  while (Riddles(seed).size() != 1 || Riddles(seed)[0] < 2) ++seed;
  const std::int32_t riddle = Riddles(seed)[0];

  Run([] { return std::make_unique<NeverSwitcher>(); }, seed);

  // Before the riddle the LMs agree: those copies are not shown.
  ASSERT_EQ(copies_.episodes.size(), 1u);
  const auto& steps = copies_.episodes.begin()->second;
  ASSERT_EQ(static_cast<int>(steps.size()), CountingEnvironment::kSteps - riddle);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].step, riddle + static_cast<int>(i));
    EXPECT_EQ(steps[i].called, i == 0);  // Only the first choice was forced.
  }
  EXPECT_EQ(static_cast<int>(original_.episodes.at(0).size()), riddle + 1);
}

TEST_F(BrancherTest, CopiesThatAreLeftGiveNoGain) {
  copies_.most = 1;
  std::uint64_t seed = 0;
  while (Riddles(seed).size() != 1 || Riddles(seed)[0] == CountingEnvironment::kSteps - 1) ++seed;

  EXPECT_TRUE(Run([] { return std::make_unique<NeverSwitcher>(); }, seed).gains.empty());
}

TEST_F(BrancherTest, TheRateSaysHowManyDecisionsAreCopied) {
  std::size_t riddles = 0, copied = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    riddles += Riddles(seed).size();
    copied += Run(AtRiddles, seed, core::BudgetGovernor::kUnlimited, 0).gains.size();
  }
  EXPECT_EQ(copied, 0u);
  EXPECT_GT(riddles, 60u);
}

TEST(BranchingOptions, AShareOutsideZeroToOneIsNamed) {
  try {
    BranchingOptions{.rate = 1.5}.Validate();
    FAIL();
  } catch (const core::ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("actor.branching.rate"), std::string::npos);
  }
}

}  // namespace
}  // namespace londi::actors
