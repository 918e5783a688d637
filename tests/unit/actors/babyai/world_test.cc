#include "actors/envs/babyai/world.h"

#include <gtest/gtest.h>

#include "tests/support/babyai_rooms.h"

namespace londi::actors::babyai {
namespace {

using londi::testing::MakeOneRoom;
using londi::testing::Put;

TEST(World, WalksIntoEmptyCellsAndOpenDoorsOnly) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  Put(level, {5, 3}, {.type = ObjectType::kDoor, .color = Color::kRed, .is_open = true});
  Put(level, {6, 3}, {.type = ObjectType::kBall, .color = Color::kRed});

  world.Apply(Action::kGoForward);
  EXPECT_EQ(world.agent, (Position{4, 3}));
  world.Apply(Action::kGoForward);
  EXPECT_EQ(world.agent, (Position{5, 3}));
  world.Apply(Action::kGoForward);
  EXPECT_EQ(world.agent, (Position{5, 3})) << "a ball is in the way";
}

TEST(World, TurnsAroundInFourSteps) {
  World world = MakeOneRoom().world;

  world.Apply(Action::kTurnLeft);
  EXPECT_EQ(world.direction, Direction::kUp);
  for (int k = 0; k < 3; ++k) world.Apply(Action::kTurnLeft);
  EXPECT_EQ(world.direction, Direction::kRight);
  world.Apply(Action::kTurnRight);
  EXPECT_EQ(world.direction, Direction::kDown);
}

TEST(World, CarriesOneObjectWithItsIdentity) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  const ObjectId key = Put(level, {4, 3}, {.type = ObjectType::kKey, .color = Color::kBlue});
  const ObjectId ball = Put(level, {3, 4}, {.type = ObjectType::kBall, .color = Color::kRed});

  world.Apply(Action::kPickUp);
  EXPECT_EQ(world.carrying, key);
  EXPECT_EQ(world.grid.object(key).current, kNowhere);
  EXPECT_TRUE(world.grid.IsEmpty({4, 3}));
  world.Apply(Action::kTurnRight);
  world.Apply(Action::kPickUp);
  EXPECT_EQ(world.carrying, key) << "the hands are full";
  world.Apply(Action::kDrop);
  EXPECT_EQ(world.grid.At({3, 4}), ball) << "the ball is in the way";
  world.Apply(Action::kTurnRight);
  world.Apply(Action::kDrop);
  EXPECT_EQ(world.carrying, kNoObject);
  EXPECT_EQ(world.grid.At({2, 3}), key);
  EXPECT_EQ(world.grid.object(key).current, (Position{2, 3}));
}

TEST(World, DoesNotDropIntoAnOpenDoor) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  world.carrying = world.grid.Add({.type = ObjectType::kKey, .color = Color::kBlue});
  const ObjectId door =
      Put(level, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kRed, .is_open = true});

  world.Apply(Action::kDrop);

  EXPECT_NE(world.carrying, kNoObject);
  EXPECT_EQ(world.grid.At({4, 3}), door);
}

TEST(World, ALockedDoorNeedsTheKeyOfItsColourAndStaysUnlocked) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  const ObjectId door =
      Put(level, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kRed, .is_locked = true});

  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.CellAt({4, 3}).state, kDoorLocked) << "no key";
  world.carrying = world.grid.Add({.type = ObjectType::kKey, .color = Color::kBlue});
  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.CellAt({4, 3}).state, kDoorLocked) << "another colour";
  world.carrying = world.grid.Add({.type = ObjectType::kKey, .color = Color::kRed});
  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.CellAt({4, 3}).state, kDoorOpen);
  EXPECT_FALSE(world.grid.object(door).is_locked);
  EXPECT_NE(world.carrying, kNoObject) << "the key is kept";
  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.CellAt({4, 3}).state, kDoorClosed);
}

TEST(World, TogglingABoxReplacesItByItsContent) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  const ObjectId key = world.grid.Add({.type = ObjectType::kKey, .color = Color::kRed});
  Put(level, {4, 3}, {.type = ObjectType::kBox, .color = Color::kGrey, .contains = key});

  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.At({4, 3}), key);
  world.Apply(Action::kToggle);
  EXPECT_EQ(world.grid.At({4, 3}), key) << "keys cannot be toggled";

  Put(level, {4, 3}, {.type = ObjectType::kBox, .color = Color::kGrey});
  world.Apply(Action::kToggle);
  EXPECT_TRUE(world.grid.IsEmpty({4, 3})) << "an empty box disappears";
}

TEST(World, SeesThroughObjectsButNotThroughClosedDoors) {
  RoomGrid level = MakeOneRoom(12);
  World& world = level.world;
  for (int y = 1; y < 11; ++y) world.grid.Set({6, y}, kWall);
  const ObjectId door = Put(level, {6, 3}, {.type = ObjectType::kDoor, .color = Color::kRed});
  Put(level, {4, 3}, {.type = ObjectType::kBall, .color = Color::kRed});
  Put(level, {8, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  View view(7);

  world.Look(view);
  EXPECT_EQ(view.At(3, 5).type, ObjectType::kBall);
  EXPECT_EQ(view.At(3, 3).type, ObjectType::kDoor);
  EXPECT_FALSE(view.IsVisible(3, 1));

  world.grid.SetDoor(door, true, false);
  world.Look(view);
  EXPECT_EQ(view.At(3, 1).type, ObjectType::kKey);
}

TEST(World, ViewAndWorldCoordinatesAgreeInAllDirections) {
  RoomGrid level = MakeOneRoom(16);
  World& world = level.world;
  world.agent = {7, 7};
  const Position ahead_left[] = {{9, 6}, {8, 9}, {5, 8}, {6, 5}};  // Two ahead, one to the left.
  for (int d = 0; d < 4; ++d) {
    world.direction = static_cast<Direction>(d);
    const Position p = ahead_left[d];
    const ObjectId key = Put(level, p, {.type = ObjectType::kKey, .color = Color::kRed});
    View view(7);

    world.Look(view);

    EXPECT_EQ(view.At(2, 4).type, ObjectType::kKey) << "direction " << d;
    EXPECT_EQ(world.ViewToWorld(7, 2, 4), p);
    EXPECT_TRUE(world.InView(7, p));
    EXPECT_FALSE(world.InView(7, world.agent - Vector(world.direction)));
    EXPECT_FALSE(world.InView(3, world.agent + 3 * Vector(world.direction)));
    EXPECT_EQ(world.grid.At(p), key);
    world.grid.Set(p, kNoObject);
  }
}

TEST(World, ShowsWhatIsCarriedInTheAgentsOwnCell) {
  RoomGrid level = MakeOneRoom();
  World& world = level.world;
  View view(7);

  world.Look(view);
  EXPECT_EQ(view.At(3, 6), Cell{});
  world.carrying = world.grid.Add({.type = ObjectType::kBox, .color = Color::kPurple});
  world.Look(view);
  EXPECT_EQ(view.At(3, 6), (Cell{ObjectType::kBox, Color::kPurple, 0}));
}

}  // namespace
}  // namespace londi::actors::babyai
