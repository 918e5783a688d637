// Holds the expert against Minigrid's own: the traces of generate.py that its bot played, and
// bot.jsonl of generate_bot.py, where others act against its advice.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "actors/envs/babyai/bot.h"
#include "actors/envs/babyai/level_gen.h"
#include "actors/envs/babyai/levels.h"

namespace londi::actors::babyai {
namespace {

using Json = nlohmann::json;

// Minigrid's levels that need all of the bot: mazes, blockers in the way, locked rooms, long
// missions.
LevelChooser MakeGenerated(const std::string& name) {
  LevelGenOptions options;
  RoomGridShape shape{.room_size = 8, .num_rows = 3, .num_cols = 3};  // BossLevel.
  if (name == "SynthSeq") options.implicit_unlock = false;
  if (name == "MiniBossLevel") {
    shape = {.room_size = 5, .num_rows = 2, .num_cols = 2};
    options.num_distractors = 7;
    options.locked_room_prob = 0.25;
  }
  auto level =
      std::make_shared<const Level>(Level{.name = name,
                                          .shape = shape,
                                          .unblocking = true,
                                          .draw_mission = [options](LevelBuilder& builder) {
                                            return DrawLevelGenMission(builder, options);
                                          }});
  return [level](std::uint64_t) { return level; };
}

std::unique_ptr<BabyAiEnvironment> MakeFor(const Json& golden) {
  LevelOptions options;
  if (golden["options"].contains("num_distractors")) {
    options.num_distractors = golden["options"]["num_distractors"].get<int>();
  }
  const auto name = golden["level"].get<std::string>();
  auto registered = FindLevel(name, options);
  return std::make_unique<BabyAiEnvironment>(
      registered ? *std::move(registered) : MakeGenerated(name),
      BabyAiOptions{.view_size = golden["options"].value("view_size", 7)});
}

// One digit, or 'x' when the bot gives up.
char Advice(core::Expert& bot, std::string_view previous) {
  const std::string advice = bot.Advise(previous);
  if (advice.empty()) return 'x';
  return static_cast<char>('0' + static_cast<int>(ParseAction(advice).value()));
}

// Executes `actions`; compares the bot's answer at every step with `advice`.
void Compare(const Json& golden, const std::string& advice, const std::string& actions) {
  const auto environment = MakeFor(golden);
  environment->Reset(golden["seed"].get<std::uint64_t>());
  const auto bot = MakeBot(*environment);
  bot->Reset();
  std::string_view previous;
  for (std::size_t step = 0; step < advice.size(); ++step) {
    ASSERT_EQ(Advice(*bot, previous), advice[step])
        << golden["level"] << " " << golden["options"] << " seed " << golden["seed"] << " policy "
        << golden["policy"] << " step " << step << ": " << environment->mission_text();
    if (step == actions.size()) break;
    const auto action = static_cast<Action>(actions[step] - '0');
    environment->Step(action);
    previous = ActionText(action);
  }
}

TEST(BabyAiBotGolden, AdvisesWhatMinigridsBotDid) {
  int num_episodes = 0;
  for (const std::string name :
       {"GoToRedBallGrey", "GoToRedBall",      "GoToObj",       "GoToLocal",     "GoToLocalS5N2",
        "PickupLoc",       "PutNextLocal",     "OpenDoorDebug", "UnlockLocal",   "UnlockLocalDist",
        "OpenRedDoor",     "PutNextLocalS5N3", "OpenDoorLoc",   "ActionObjDoor", "OpenDoor",
        "GoToLocalView5",  "OpenDoorView9",    "MixedTrain0",   "MixedTrain8",   "MixedTest0",
        "MixedTest8"}) {
    std::ifstream file(std::string(LONDI_GOLDEN_BABYAI) + "/" + name + ".jsonl");
    ASSERT_TRUE(file) << "missing golden file " << name;
    for (std::string line; std::getline(file, line);) {
      if (line.find(R"("policy":"bot")") == std::string::npos) continue;
      const Json golden = Json::parse(line);
      const auto actions = golden["actions"].get<std::string>();
      Compare(golden, actions, actions);
      ++num_episodes;
    }
  }
  EXPECT_EQ(num_episodes, 21 * 50);
}

TEST(BabyAiBotGolden, AdvisesLikeMinigridsBotWhenOthersAct) {
  std::ifstream file(std::string(LONDI_GOLDEN_BABYAI) + "/bot.jsonl");
  ASSERT_TRUE(file) << "missing golden file";
  int num_episodes = 0;
  int num_given_up = 0;
  for (std::string line; std::getline(file, line); ++num_episodes) {
    const Json golden = Json::parse(line);
    const auto advice = golden["advice"].get<std::string>();
    Compare(golden, advice, golden["actions"].get<std::string>());
    num_given_up += advice.back() == 'x';
  }
  EXPECT_GE(num_episodes, 300);
  EXPECT_GE(num_given_up, 5) << "the golden file should hold some opened boxes";
}

}  // namespace
}  // namespace londi::actors::babyai
