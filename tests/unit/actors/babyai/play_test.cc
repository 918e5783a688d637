#include "actors/envs/babyai/play.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/support/babyai_rooms.h"

namespace londi::actors::babyai {
namespace {

TEST(DrawMap, ShowsObjectsDoorsAndTheAgent) {
  RoomGrid level = londi::testing::MakeOneRoom(5);
  level.world.agent = {1, 1};
  londi::testing::Put(level, {2, 1}, {.type = ObjectType::kKey, .color = Color::kGrey});
  londi::testing::Put(level, {3, 2}, {.type = ObjectType::kBall, .color = Color::kRed});
  londi::testing::Put(
      level, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kBlue, .is_locked = true});

  EXPECT_EQ(DrawMap(level.world),
            "##########\n"
            "##>>Ke  ##\n"
            "##    Or##\n"
            "##      Lb\n"
            "##########\n");
}

TEST(Play, FollowsThePersonUntilSheQuits) {
  std::istringstream in("l\nturn right\nwhat\nh\nn\nq\n");
  std::ostringstream out;

  const int won = Play({.environment = "babyai/GoToObj", .seed = 4}, in, out);

  EXPECT_EQ(won, 0);
  const std::string text = out.str();
  EXPECT_NE(text.find("episode 4: go to the"), std::string::npos);
  EXPECT_NE(text.find("the bot would "), std::string::npos);
  EXPECT_NE(text.find("episode 5: go to the"), std::string::npos);
}

TEST(Play, HintsLeadToSuccess) {
  std::string commands;
  int won = 0;
  for (int step = 0; step < 64 && won == 0; ++step) {
    std::istringstream in(commands + "h\nq\n");
    std::ostringstream out;
    Play({.environment = "babyai/PutNextLocal", .seed = 2}, in, out);
    const std::string text = out.str();
    const std::string marker = "the bot would ";
    const std::size_t begin = text.rfind(marker) + marker.size();
    commands += text.substr(begin, text.find('\n', begin) - begin) + "\n";
    std::istringstream again(commands);
    won = Play({.environment = "babyai/PutNextLocal", .seed = 2, .show_map = false}, again, out);
  }

  EXPECT_EQ(won, 1);
}

TEST(Play, EndsWithTheInput) {
  std::istringstream in("");
  std::ostringstream out;

  EXPECT_EQ(Play({}, in, out), 0);
}

}  // namespace
}  // namespace londi::actors::babyai
