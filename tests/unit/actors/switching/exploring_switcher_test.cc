#include "actors/switching/exploring_switcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "actors/switching/rules.h"
#include "core/error.h"
#include "tests/support/fake_switcher.h"

namespace londi::actors {
namespace {

// No boundary episodes.
constexpr ExplorationOptions kOnlyEpsilon{
    .always_quick = 0, .always_deepthink = 0, .random_rate = 0, .takeover = 0};

ExploringSwitcher MakeExplorer(const ExplorationOptions& options,
                               double epsilon,
                               bool greedy = false,
                               std::uint64_t seed = 1) {
  return {std::make_unique<testing::FakeSwitcher>(greedy), options, epsilon, seed};
}

TEST(SlotEpsilon, FallsGeometricallyFromTheBoldestSlot) {
  const ExplorationOptions options;

  EXPECT_DOUBLE_EQ(SlotEpsilon(options, 0, 8), 0.4);
  EXPECT_DOUBLE_EQ(SlotEpsilon(options, 7, 8), std::pow(0.4, 8));
  EXPECT_DOUBLE_EQ(SlotEpsilon(options, 1, 8), 0.4 * 0.4);
  EXPECT_DOUBLE_EQ(SlotEpsilon(options, 0, 1), std::pow(0.4, 4.5));
}

TEST(DrawZeta2, FollowsOneOverNSquared) {
  Random random(2);
  constexpr int kDraws = 100'000;
  int counts[5] = {};
  for (int i = 0; i < kDraws; ++i) {
    const int n = DrawZeta2(random);
    ASSERT_GE(n, 1);
    if (n <= 4) ++counts[n];
  }
  for (int n = 1; n <= 4; ++n) {
    const double expected = kDraws * 6 / (M_PI * M_PI) / (n * n);
    EXPECT_NEAR(counts[n], expected, 5 * std::sqrt(expected)) << n;
  }
}

TEST(ExploringSwitcher, SaysTheExactProbabilityOfEachFreeChoiceAndOneForHeldOnes) {
  constexpr double kEpsilon = 0.4;
  for (const bool greedy : {false, true}) {
    ExploringSwitcher switcher = MakeExplorer(kOnlyEpsilon, kEpsilon, greedy);
    int free_choices = 0, explored = 0, held = 0;
    for (int episode = 0; episode < 2000; ++episode) {
      switcher.StartEpisode();
      for (int step = 0; step < 10; ++step) {
        const core::SwitchChoice choice = switcher.Choose({});
        if (choice.behaviour_prob == 1) {
          ++held;
          continue;
        }
        ++free_choices;
        explored += choice.activate != greedy;
        ASSERT_FLOAT_EQ(choice.behaviour_prob, choice.activate == greedy ? 0.8f : 0.2f);
      }
    }
    EXPECT_GT(held, 1000);
    EXPECT_NEAR(static_cast<double>(explored) / free_choices, kEpsilon / 2, 0.015);
  }
}

TEST(ExploringSwitcher, WantsLabelsOfAShareOfTheDecisionsWithoutACallAndOfNoneUnderABudget) {
  ExplorationOptions options = kOnlyEpsilon;
  options.labels = 0.3;
  ExploringSwitcher switcher = MakeExplorer(options, 0.4);
  int quick = 0, labels = 0;
  switcher.StartEpisode();
  for (int step = 0; step < 20'000; ++step) {
    const core::SwitchChoice choice = switcher.Choose({});
    ASSERT_FALSE(choice.activate && choice.wants_label);
    quick += !choice.activate;
    labels += choice.wants_label;
    ASSERT_FALSE(switcher.Choose({.remaining = 5}).wants_label);
  }
  EXPECT_NEAR(static_cast<double>(labels) / quick, 0.3, 0.015);
}

TEST(ExploringSwitcher, DrawsFromAPolicyThatIsStochasticAndSaysTheExactProbability) {
  constexpr float kProb = 0.3f;
  const auto greedy = [](float prob) {
    return std::make_unique<testing::FakeSwitcher>([prob](const core::SwitcherInput&) {
      return core::SwitchChoice{.activate = prob > 0.5f, .activation_prob = prob};
    });
  };
  ExploringSwitcher switcher(greedy(kProb), kOnlyEpsilon, /*epsilon=*/0.9, 1);
  constexpr int kDecisions = 20'000;
  int activated = 0;
  switcher.StartEpisode();
  for (int i = 0; i < kDecisions; ++i) {
    const core::SwitchChoice choice = switcher.Choose({});
    activated += choice.activate;
    ASSERT_FLOAT_EQ(choice.behaviour_prob, choice.activate ? kProb : 1 - kProb);
  }
  EXPECT_NEAR(static_cast<double>(activated) / kDecisions, kProb, 0.015);

  for (const bool certain : {false, true}) {
    ExploringSwitcher sure(greedy(certain ? 1.0f : 0.0f), kOnlyEpsilon, 0.9, 1);
    sure.StartEpisode();
    for (int i = 0; i < 100; ++i) {
      const core::SwitchChoice choice = sure.Choose({});
      ASSERT_EQ(choice.activate, certain);
      ASSERT_EQ(choice.behaviour_prob, 1);
    }
  }
}

TEST(ExploringSwitcher, RepeatsAHeldChoiceUntilTheHoldOrTheEpisodeEnds) {
  ExploringSwitcher switcher = MakeExplorer(kOnlyEpsilon, 1);
  for (int episode = 0; episode < 500; ++episode) {
    switcher.StartEpisode();
    bool last = false;
    for (int step = 0; step < 8; ++step) {
      const core::SwitchChoice choice = switcher.Choose({});
      if (step == 0) {
        ASSERT_FLOAT_EQ(choice.behaviour_prob, 0.5f);  // Nothing is held over from before.
      } else if (choice.behaviour_prob == 1) {
        ASSERT_EQ(choice.activate, last);
      }
      last = choice.activate;
    }
  }
}

TEST(ExploringSwitcher, WithoutEpsilonItIsGreedy) {
  ExploringSwitcher switcher = MakeExplorer(kOnlyEpsilon, 0, true);
  switcher.StartEpisode();
  for (int i = 0; i < 100; ++i) {
    const core::SwitchChoice choice = switcher.Choose({});
    ASSERT_TRUE(choice.activate);
    ASSERT_FLOAT_EQ(choice.behaviour_prob, 1);
  }
}

TEST(ExploringSwitcher, MixesInBoundaryEpisodesInTheirShares) {
  ExploringSwitcher switcher = MakeExplorer(
      {.always_quick = 0.2, .always_deepthink = 0.3, .random_rate = 0.4, .takeover = 0},
      0,
      /*greedy=*/false,
      3);
  int all = 0, none = 0, mixed = 0;
  constexpr int kEpisodes = 2000, kSteps = 40;
  for (int episode = 0; episode < kEpisodes; ++episode) {
    switcher.StartEpisode();
    int activated = 0;
    for (int step = 0; step < kSteps; ++step) activated += switcher.Choose({}).activate;
    ++(activated == kSteps ? all : activated == 0 ? none : mixed);
  }
  // A rate drawn from U(0, 1) leaves 40 steps all alike with probability 1/41 on either side.
  EXPECT_NEAR(all, kEpisodes * (0.3 + 0.4 / 41), 80);
  EXPECT_NEAR(none, kEpisodes * (0.2 + 0.1 + 0.4 / 41), 80);
  EXPECT_NEAR(mixed, kEpisodes * 0.4 * 39 / 41, 80);
}

TEST(ExploringSwitcher, ARandomRateEpisodeSaysItsRate) {
  ExploringSwitcher switcher = MakeExplorer(
      {.always_quick = 0, .always_deepthink = 0, .random_rate = 1, .takeover = 0}, 0.4);
  for (int episode = 0; episode < 20; ++episode) {
    switcher.StartEpisode();
    float rate = -1;
    int activated = 0;
    for (int step = 0; step < 500; ++step) {
      const core::SwitchChoice choice = switcher.Choose({});
      const float implied = choice.activate ? choice.behaviour_prob : 1 - choice.behaviour_prob;
      if (rate < 0) rate = implied;
      ASSERT_NEAR(implied, rate, 1e-6);
      activated += choice.activate;
    }
    EXPECT_NEAR(activated / 500.0, rate, 0.1);
  }
}

TEST(ExploringSwitcher, ATakeoverIsGreedyForAWhileAndThenActivatesToTheEnd) {
  constexpr int kSteps = 64, kEpisodes = 2000;
  ExploringSwitcher switcher = MakeExplorer(
      {.always_quick = 0, .always_deepthink = 0, .random_rate = 0, .takeover = 1}, 0.4);
  int before_a_quarter = 0;
  for (int episode = 0; episode < kEpisodes; ++episode) {
    switcher.StartEpisode();
    int first = kSteps;
    for (int step = 0; step < kSteps; ++step) {
      const core::SwitchChoice choice = switcher.Choose({.steps_left = kSteps - step});
      ASSERT_FLOAT_EQ(choice.behaviour_prob, 1);
      if (choice.activate) first = std::min(first, step);
      ASSERT_EQ(choice.activate, step >= first);
    }
    ASSERT_LT(first, kSteps);
    before_a_quarter += first < kSteps / 4;
  }
  EXPECT_NEAR(before_a_quarter, kEpisodes / 2, 100);  // u^2 < 1/4 for half of all u.
}

TEST(ExploringSwitcher, ATakeoverThatIsGreedyLeavesActivationsAsTheyAre) {
  ExploringSwitcher switcher =
      MakeExplorer({.always_quick = 0, .always_deepthink = 0, .random_rate = 0, .takeover = 1},
                   0.4,
                   /*greedy=*/true);
  switcher.StartEpisode();
  for (int step = 0; step < 64; ++step)
    EXPECT_TRUE(switcher.Choose({.steps_left = 64 - step}).activate);
}

TEST(ExploringSwitcher, ADisagreementEpisodeActivatesAboveOneThreshold) {
  // The disagreement goes from 0 to 1 in an episode.
  constexpr int kSteps = 100, kEpisodes = 2000;
  int step = 0;
  ExploringSwitcher switcher(
      std::make_unique<testing::FakeSwitcher>([&step](const core::SwitcherInput&) {
        return core::SwitchChoice{.disagreement = static_cast<float>(step) / kSteps};
      }),
      {.always_quick = 0,
       .always_deepthink = 0,
       .random_rate = 0,
       .takeover = 0,
       .disagreement = 1},
      0.4,
      1);
  int activated = 0;
  for (int episode = 0; episode < kEpisodes; ++episode) {
    switcher.StartEpisode();
    bool above = false;
    for (step = 0; step < kSteps; ++step) {
      const core::SwitchChoice choice = switcher.Choose({});
      ASSERT_FLOAT_EQ(choice.behaviour_prob, 1);
      ASSERT_TRUE(choice.activate || !above);  // Once above the threshold, always above.
      above = choice.activate;
      activated += choice.activate;
    }
  }
  EXPECT_NEAR(activated / static_cast<double>(kEpisodes * kSteps), 0.5, 0.03);
}

TEST(ExploringSwitcher, PassesWeightsAndEpisodesOn) {
  auto owned = std::make_unique<testing::FakeSwitcher>(false);
  testing::FakeSwitcher& greedy = *owned;
  ExploringSwitcher switcher(std::move(owned), kOnlyEpsilon, 0.4, 1);
  const auto weights = std::make_shared<core::WeightsSnapshot>();

  switcher.Load(weights);
  switcher.StartEpisode();

  EXPECT_EQ(greedy.loaded, weights);
  EXPECT_EQ(greedy.episodes, 1);
}

TEST(ExplorationOptions, RefuseWhatIsNoProbability) {
  EXPECT_NO_THROW(ExplorationOptions{}.Validate());
  EXPECT_THROW((ExplorationOptions{.epsilon_base = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.epsilon_base = 1.1}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.epsilon_power = -1}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.always_quick = -0.1}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.takeover = 0.9}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.disagreement = 0.9}.Validate()), core::ConfigError);
  EXPECT_THROW((ExplorationOptions{.always_quick = 0.6, .always_deepthink = 0.6}.Validate()),
               core::ConfigError);
}

}  // namespace
}  // namespace londi::actors
