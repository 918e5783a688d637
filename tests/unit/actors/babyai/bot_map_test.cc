#include "actors/envs/babyai/bot_map.h"

#include <gtest/gtest.h>

#include <utility>

#include "actors/envs/babyai/bot_drop_cell.h"
#include "tests/support/babyai_rooms.h"

namespace londi::actors::babyai {
namespace {

using londi::testing::MakeOneRoom;
using londi::testing::Put;

constexpr int kViewSize = 7;

// A map that has seen what the agent sees from each heading.
class BotMapTest : public ::testing::Test {
 protected:
  void LookAround() {
    map_.Reset();
    const Direction heading = level_.world.direction;
    for (const Direction d :
         {Direction::kRight, Direction::kDown, Direction::kLeft, Direction::kUp}) {
      level_.world.direction = d;
      View view(kViewSize);
      level_.world.Look(view);
      map_.See(view);
    }
    level_.world.direction = heading;
  }
  // Columns x of a wall from top to bottom.
  void DrawWall(int x) {
    for (int y = 1; y < level_.world.grid.height() - 1; ++y) level_.world.grid.Set({x, y}, kWall);
  }
  static BotMap::Accept Is(Position p) {
    return [p](Position q) { return p == q; };
  }

  RoomGrid level_ = MakeOneRoom();  // The agent stands at (3, 3) and looks right.
  BotMap map_{level_.world};
};

TEST_F(BotMapTest, SeesOnlyWhatTheViewShows) {
  map_.Reset();
  View view(kViewSize);
  level_.world.Look(view);
  map_.See(view);

  EXPECT_TRUE(map_.Seen({3, 3}));
  EXPECT_TRUE(map_.Seen({6, 6}));
  EXPECT_FALSE(map_.Seen({2, 3}));  // Behind the agent.
}

TEST_F(BotMapTest, GoesStraightOnFirst) {
  LookAround();

  const auto route = map_.FindRoute(Is({5, 5}));

  ASSERT_TRUE(route);
  EXPECT_EQ(route->length, 4);
  EXPECT_EQ(route->first_step, (Position{4, 3}));
  EXPECT_FALSE(route->through_blockers);
}

TEST_F(BotMapTest, TheAgentsOwnCellIsZeroStepsAway) {
  LookAround();

  const auto route = map_.FindRoute(Is({3, 3}));

  ASSERT_TRUE(route);
  EXPECT_EQ(route->length, 0);
}

TEST_F(BotMapTest, ReachesButDoesNotCrossWhatWasNotSeen) {
  map_.Reset();
  View view(kViewSize);
  level_.world.Look(view);
  map_.See(view);

  EXPECT_TRUE(map_.FindRoute(Is({2, 3})));
  EXPECT_FALSE(map_.FindRoute(Is({1, 3})));
}

TEST_F(BotMapTest, CrossesABlockerOnlyWhenAllowedAndNeeded) {
  DrawWall(4);
  Put(level_, {4, 3}, {.type = ObjectType::kBall, .color = Color::kRed});
  LookAround();

  EXPECT_TRUE(map_.FindRoute(Is({4, 3})));  // May be reached, of course.
  EXPECT_FALSE(map_.FindRoute(Is({5, 3})));
  const auto through = map_.FindRoute(Is({5, 3}), /*may_cross_blockers=*/true);
  ASSERT_TRUE(through);
  EXPECT_TRUE(through->through_blockers);
  EXPECT_EQ(through->length, 2);
  EXPECT_EQ(through->first_step, (Position{4, 3}));
  EXPECT_FALSE(map_.FindRoute(Is({2, 2}), true)->through_blockers);
}

TEST_F(BotMapTest, AClosedDoorEndsTheWayEvenWithBlockersMovedAway) {
  DrawWall(4);
  const ObjectId door = Put(level_, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kRed});
  LookAround();
  EXPECT_FALSE(map_.FindRoute(Is({5, 3}), true));

  level_.world.grid.SetDoor(door, /*is_open=*/true, /*is_locked=*/false);
  LookAround();
  EXPECT_TRUE(map_.FindRoute(Is({5, 3})));
}

TEST_F(BotMapTest, DropCellsKeepADoorwayFree) {
  DrawWall(5);
  Put(level_, {5, 3}, {.type = ObjectType::kDoor, .color = Color::kRed, .is_open = true});
  LookAround();

  const auto cell = FindDropCell(map_);

  ASSERT_TRUE(cell);  // The nearest free one, (4, 3), lies before the door.
  EXPECT_NE(*cell, (Position{4, 3}));
  EXPECT_EQ(ManhattanDistance(*cell, level_.world.agent), 1);
  EXPECT_NE(FindDropCell(map_, cell), cell);
}

TEST_F(BotMapTest, NoFreeCellMeansNoDropCell) {
  level_ = MakeOneRoom(3);
  level_.world.agent = {1, 1};
  LookAround();

  EXPECT_FALSE(FindDropCell(map_));
}

}  // namespace
}  // namespace londi::actors::babyai
