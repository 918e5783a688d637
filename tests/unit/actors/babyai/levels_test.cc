#include "actors/envs/babyai/levels.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/mixed_levels.h"
#include "core/error.h"
#include "tests/support/environment_contract.h"

namespace londi::actors::babyai {
namespace {

using londi::testing::ContractCase;
using londi::testing::ContractCaseName;
using londi::testing::EnvironmentContract;

std::vector<ContractCase> AllLevels() {
  std::vector<ContractCase> cases;
  for (const std::string& name : LevelNames()) {
    cases.push_back(
        {name, [name] { return std::make_unique<BabyAiEnvironment>(*FindLevel(name, {})); }});
  }
  return cases;
}

}  // namespace
}  // namespace londi::actors::babyai

// The suite's tests live in its own namespace.
namespace londi::testing {
INSTANTIATE_TEST_SUITE_P(BabyAi,
                         EnvironmentContract,
                         ::testing::ValuesIn(actors::babyai::AllLevels()),
                         ContractCaseName);
}  // namespace londi::testing

namespace londi::actors::babyai {
namespace {

BabyAiEnvironment MakeMixed(MixedOptions options) { return BabyAiEnvironment(MixedLevel(options)); }

int CountObjects(const World& world) {
  int count = 0;
  for (int x = 0; x < world.grid.width(); ++x) {
    for (int y = 0; y < world.grid.height(); ++y) {
      count += world.grid.object(world.grid.At({x, y})).CanPickUp() ? 1 : 0;
    }
  }
  return count;
}

TEST(MixedLevels, AMixedEpisodeEqualsTheEpisodeOfItsKind) {
  auto mixed = MakeMixed({});
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const core::Observation observation = mixed.Reset(seed);
    auto one = MakeMixed({.kind = ParseMixedKind(mixed.Kind())});
    londi::testing::ExpectEqual(observation, one.Reset(seed));
    ++seen[mixed.Kind()];
  }

  ASSERT_EQ(seen.size(), 5U);
  for (const auto& [kind, count] : seen) EXPECT_GT(count, 20) << kind;
}

TEST(MixedLevels, TrainingNeverNamesAHeldOutPairAndTestingNamesOnlyThem) {
  const std::set<std::string> held_out = {
      "yellow box", "red key", "red door", "green ball", "grey door"};
  for (const MixedSplit split : {MixedSplit::kTrain, MixedSplit::kTest}) {
    auto environment = MakeMixed({.split = split, .num_distractors = 0});
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      environment.Reset(seed);
      for (const Instruction& node : environment.mission().nodes) {
        for (const ObjectDescription* d : {&node.target, &node.fixed}) {
          if (!d->type || !d->color) continue;
          const std::string words =
              std::string(Name(*d->color)) + " " + std::string(Name(*d->type));
          EXPECT_EQ(held_out.contains(words), split == MixedSplit::kTest)
              << environment.mission_text();
        }
      }
    }
  }
}

TEST(MixedLevels, OfBothSplitsAnEpisodeIsThatOfOneOfThemWithTheSameSeed) {
  auto both = MakeMixed({.split = MixedSplit::kBoth});
  auto train = MakeMixed({.split = MixedSplit::kTrain});
  auto test = MakeMixed({.split = MixedSplit::kTest});
  int of_train = 0, of_test = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const core::Observation seen = both.Reset(seed);
    const auto is_same = [&](const core::Observation& other) {
      return other.mission == seen.mission && other.sentences == seen.sentences;
    };
    of_train += is_same(train.Reset(seed));
    of_test += is_same(test.Reset(seed));
  }
  EXPECT_GT(of_train, 70);
  EXPECT_GT(of_test, 70);
  EXPECT_EQ(of_train + of_test, 200);
}

TEST(MixedLevels, HaveTheAnnouncedObjectsAndStepLimits) {
  struct Expected {
    const char* kind;
    int extra_objects;
    int max_steps;
  };
  for (const Expected& expected : {Expected{"goto", 1, 64},
                                   Expected{"pickup", 1, 64},
                                   Expected{"open", 1, 128},
                                   Expected{"putnext", 2, 128},
                                   Expected{"sequence", 2, 128}}) {
    for (const int num_distractors : {0, 8}) {
      auto environment =
          MakeMixed({.kind = ParseMixedKind(expected.kind), .num_distractors = num_distractors});
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        environment.Reset(seed);
        EXPECT_EQ(environment.Kind(), expected.kind);
        EXPECT_EQ(environment.MaxSteps(), expected.max_steps);
        EXPECT_EQ(CountObjects(environment.world()), num_distractors + expected.extra_objects);
      }
    }
  }
}

TEST(MixedLevels, TheAgentNeverStartsBehindTheLockedDoor) {
  auto environment = MakeMixed({.kind = MixedKind::kOpen});
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    environment.Reset(seed);
    const RoomGrid& level = environment.level();
    const Room& start = level.RoomAt(level.world.agent);
    EXPECT_FALSE(start.objects.empty()) << "the key and the distractors are here";
    EXPECT_FALSE(start.locked);
  }
}

TEST(MixedLevels, BadOptionsSayWhatIsAllowed) {
  EXPECT_THROW(ParseMixedKind("goo"), core::ConfigError);
  EXPECT_THROW(MixedLevel({.num_distractors = -1}), core::ConfigError);
  EXPECT_THROW(MixedLevel({.num_distractors = 1000}), core::ConfigError);
  EXPECT_THROW((void)FindLevel("GoToLocal", {.kind = "goto"}), core::ConfigError);
  EXPECT_THROW((void)FindLevel("GoToLocal", {.num_distractors = 0}), core::ConfigError);
  EXPECT_FALSE(FindLevel("GoToTheMoon", {}));
}

TEST(BabyAiEnvironment, RewardsSuccessByTheStepsItTook) {
  BabyAiEnvironment environment(*FindLevel("GoToObj", {}));
  environment.Reset(0);
  core::StepResult result;
  for (int step = 0; step < 64 && !result.done(); ++step) {
    result = environment.Step(step % 3 == 2 ? Action::kTurnLeft : Action::kGoForward);
  }

  ASSERT_TRUE(result.done());
  EXPECT_EQ(result.terminated, result.reward > 0);
  if (result.terminated) {
    EXPECT_DOUBLE_EQ(result.reward, 1 - 0.9 * environment.num_steps() / 64.0);
  }
  EXPECT_THROW(environment.Step(Action::kTurnLeft), core::Error) << "the episode is over";
}

// Until the next step succeeds: then exactly what it pays.
TEST(BabyAiEnvironment, WhatIsAheadIsWhatSuccessWithTheNextStepWouldPay) {
  BabyAiEnvironment environment(*FindLevel("GoToObj", {}));
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    environment.Reset(seed);
    core::StepResult result;
    for (int step = 0; !result.done(); ++step) {
      const double ahead = environment.MaxRewardAhead();
      ASSERT_DOUBLE_EQ(ahead, 1 - 0.9 * (step + 1) / 64.0);
      result = environment.Step(step % 3 == 2 ? Action::kTurnLeft : Action::kGoForward);
      if (result.terminated) {
        EXPECT_DOUBLE_EQ(result.reward, ahead);
      }
    }
    solved += result.terminated;
    EXPECT_EQ(environment.MaxRewardAhead(), 0);
  }
  EXPECT_GT(solved, 0);
}

TEST(BabyAiEnvironment, RefusesEvenViewSizes) {
  EXPECT_THROW(BabyAiEnvironment(*FindLevel("GoToObj", {}), {.view_size = 6}), core::ConfigError);
  EXPECT_THROW(BabyAiEnvironment(*FindLevel("GoToObj", {}), {.view_size = 1}), core::ConfigError);
  EXPECT_THROW(BabyAiEnvironment(*FindLevel("GoToObj", {}), {.view_size = 33}), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors::babyai
