#include "actors/envs/babyai/bot.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/envs/babyai/level_builder.h"
#include "actors/envs/babyai/levels.h"
#include "core/error.h"

namespace londi::actors::babyai {
namespace {

constexpr ObjectDescription kRedBall{.type = ObjectType::kBall, .color = Color::kRed};

// An environment whose level is `draw`, on rooms without objects.
BabyAiEnvironment MakeByHand(RoomGridShape shape, std::function<Mission(LevelBuilder&)> draw) {
  auto level = std::make_shared<const Level>(
      Level{.name = "ByHand", .shape = shape, .unblocking = true, .draw_mission = std::move(draw)});
  return BabyAiEnvironment([level](std::uint64_t) { return level; });
}

void Put(LevelBuilder& builder, Position p, WorldObject object) {
  object.initial = object.current = p;
  builder.level().world.grid.Set(p, builder.level().world.grid.Add(object));
}

void StandAgent(LevelBuilder& builder, Position p, Direction direction) {
  builder.level().world.agent = p;
  builder.level().world.direction = direction;
}

// An object of the mission in front of the agent, which looks right, and nothing else.
BabyAiEnvironment MakeBallAt(Position ball) {
  return MakeByHand({.room_size = 6, .num_rows = 1, .num_cols = 1}, [ball](LevelBuilder& builder) {
    StandAgent(builder, {1, 1}, Direction::kRight);
    Put(builder, ball, {.type = ObjectType::kBall, .color = Color::kRed});
    return Pickup(kRedBall);
  });
}

// Follows the advice until it ends or the episode does.
std::vector<std::string> Play(BabyAiEnvironment& environment, core::Expert& bot) {
  std::vector<std::string> actions;
  std::string action;
  while (environment.running() && !(action = bot.Advise(action)).empty()) {
    actions.push_back(action);
    environment.Step(action);
  }
  return actions;
}

TEST(BabyAiBot, WalksToTheObjectAndPicksItUp) {
  BabyAiEnvironment environment = MakeBallAt({3, 2});
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();

  const std::vector<std::string> actions = Play(environment, *bot);

  EXPECT_EQ(actions,
            (std::vector<std::string>{"go forward", "go forward", "turn right", "pick up"}));
  EXPECT_FALSE(environment.running());
}

TEST(BabyAiBot, CorrectsWhatOthersDid) {
  BabyAiEnvironment environment = MakeBallAt({3, 1});
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();
  EXPECT_EQ(bot->Advise(""), "go forward");

  environment.Step("turn right");
  EXPECT_EQ(bot->Advise("turn right"), "turn left");
  environment.Step("turn left");
  EXPECT_EQ(bot->Advise("turn left"), "go forward");
}

// To the red ball; before the agent lies something blue.
BabyAiEnvironment MakeFirstMeeting(ObjectType type) {
  return MakeByHand({.room_size = 6, .num_rows = 1, .num_cols = 1}, [type](LevelBuilder& builder) {
    StandAgent(builder, {1, 1}, Direction::kRight);
    Put(builder, {2, 1}, {.type = type, .color = Color::kBlue});
    Put(builder, {4, 4}, {.type = ObjectType::kBall, .color = Color::kRed});
    return GoTo(kRedBall);
  });
}

TEST(BabyAiBot, TakesBackAnObjectThatOthersPickedUp) {
  BabyAiEnvironment environment = MakeFirstMeeting(ObjectType::kKey);
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();
  bot->Advise("");

  environment.Step("pick up");
  EXPECT_EQ(bot->Advise("pick up"), "drop");
}

TEST(BabyAiBot, TakesAnEmptyPreviousActionForTheAdvisedOne) {
  BabyAiEnvironment environment(FindLevel("PutNextLocal", {}).value());
  environment.Reset(3);
  const auto told = MakeBot(environment);
  const auto trusted = MakeBot(environment);
  told->Reset();
  trusted->Reset();

  std::string action;
  while (environment.running()) {
    action = told->Advise(action);
    EXPECT_EQ(trusted->Advise(""), action);
    environment.Step(action);
  }
}

TEST(BabyAiBot, GivesUpForTheEpisodeWhenABoxWasOpened) {
  BabyAiEnvironment environment = MakeFirstMeeting(ObjectType::kBox);
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();
  bot->Advise("");

  environment.Step("toggle");
  EXPECT_EQ(bot->Advise("toggle"), "");
  environment.Step("turn left");
  EXPECT_EQ(bot->Advise("turn left"), "");

  environment.Reset(0);
  bot->Reset();
  EXPECT_NE(bot->Advise(""), "");
}

// Minigrid's bot never returns here: to find the key it wants to open the door, for which it needs
// the key, and so on.
TEST(BabyAiBot, GivesUpWhenTheKeyLiesBehindItsOwnDoor) {
  BabyAiEnvironment environment =
      MakeByHand({.room_size = 5, .num_rows = 1, .num_cols = 2}, [](LevelBuilder& builder) {
        builder.AddDoor(0, 0, Side::kRight, Color::kBlue, true);
        Put(builder, {6, 2}, {.type = ObjectType::kKey, .color = Color::kBlue});
        StandAgent(builder, {1, 1}, Direction::kRight);
        return Open({.type = ObjectType::kDoor, .color = Color::kBlue});
      });
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();

  Play(environment, *bot);

  EXPECT_TRUE(environment.running()) << "the bot must give up before the step limit";
}

TEST(BabyAiBot, GivesUpWhenThePlanIsDoneButTheEpisodeGoesOn) {
  BabyAiEnvironment environment =
      MakeByHand({.room_size = 6, .num_rows = 1, .num_cols = 1}, [](LevelBuilder& builder) {
        StandAgent(builder, {1, 1}, Direction::kRight);
        Put(builder, {2, 1}, {.type = ObjectType::kBall, .color = Color::kRed});
        return GoTo(kRedBall);  // The agent stands there already, but only a step can succeed.
      });
  environment.Reset(0);
  const auto bot = MakeBot(environment);
  bot->Reset();

  EXPECT_EQ(bot->Advise(""), "");
}

TEST(BabyAiBot, ForgetsTheMapOfTheLastEpisode) {
  BabyAiEnvironment environment(FindLevel("UnlockLocalDist", {}).value());
  const auto used = MakeBot(environment);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    environment.Reset(seed);
    used->Reset();
    Play(environment, *used);
  }
  environment.Reset(3);
  used->Reset();
  const std::vector<std::string> actions = Play(environment, *used);

  environment.Reset(3);
  const auto fresh = MakeBot(environment);
  fresh->Reset();
  EXPECT_EQ(Play(environment, *fresh), actions);
}

TEST(BabyAiBot, RefusesCallsOutOfOrderAndTextsThatAreNoAction) {
  BabyAiEnvironment environment = MakeBallAt({3, 1});
  const auto bot = MakeBot(environment);
  EXPECT_THROW(bot->Reset(), core::Error);
  EXPECT_THROW(bot->Advise(""), core::Error);

  environment.Reset(0);
  bot->Reset();
  EXPECT_THROW(bot->Advise("fly to the moon"), core::Error);
}

}  // namespace
}  // namespace londi::actors::babyai
