#include "actors/envs/babyai/verifier.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/babyai_rooms.h"

namespace londi::actors::babyai {
namespace {

using londi::testing::MakeOneRoom;
using londi::testing::Put;

ObjectDescription Key(Color color) { return {.type = ObjectType::kKey, .color = color}; }
ObjectDescription Ball(Color color) { return {.type = ObjectType::kBall, .color = color}; }

// An agent at (3, 3), facing right, in one room; actions are verified as in an episode.
class VerifierTest : public ::testing::Test {
 protected:
  void Start(Mission mission) {
    mission_ = std::move(mission);
    ResetVerifiers(mission_, level_);
  }
  Status Do(Action action) {
    level_.world.Apply(action);
    return Verify(mission_, level_, action);
  }

  RoomGrid level_ = MakeOneRoom();
  Mission mission_;
};

TEST_F(VerifierTest, GoToNeedsTheAgentToFaceTheObject) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Start(GoTo(Key(Color::kRed)));

  EXPECT_EQ(Do(Action::kTurnLeft), Status::kContinue) << "beside it is not enough";
  EXPECT_EQ(Do(Action::kTurnRight), Status::kSuccess);
}

TEST_F(VerifierTest, GoToSucceedsAtTheOldPlaceOfAPickedUpObject) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  level_.world.direction = Direction::kRight;
  Start(GoTo(Key(Color::kRed)));

  EXPECT_EQ(Do(Action::kPickUp), Status::kSuccess) << "positions are refreshed by drops only";
}

TEST_F(VerifierTest, GoToFollowsAnObjectOnceItIsDropped) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level_, {6, 6}, {.type = ObjectType::kBall, .color = Color::kRed});
  Start(Before(Pickup(Ball(Color::kRed)), GoTo(Key(Color::kRed))));
  Do(Action::kPickUp);
  Do(Action::kTurnRight);
  Do(Action::kDrop);  // The key lies at (3, 4) now.

  const auto& positions = mission_.node(1).target.positions;

  ASSERT_EQ(positions.size(), 1U);
  EXPECT_EQ(positions[0], (Position{3, 4}));
}

TEST_F(VerifierTest, LocationsReferToThePoseAtReset) {
  Put(level_, {3, 2}, {.type = ObjectType::kKey, .color = Color::kRed});   // Left of the agent.
  Put(level_, {3, 4}, {.type = ObjectType::kKey, .color = Color::kBlue});  // Right of it.
  Start(GoTo({.type = ObjectType::kKey, .location = Location::kLeft}));

  EXPECT_EQ(Do(Action::kTurnRight), Status::kContinue) << "the blue key was on the right";
  EXPECT_EQ(Do(Action::kTurnLeft), Status::kContinue);
  EXPECT_EQ(Do(Action::kTurnLeft), Status::kSuccess);
}

TEST_F(VerifierTest, PickupNeedsEmptyHandsAtTheLastAskedStep) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Start(Pickup(Key(Color::kRed)));

  EXPECT_EQ(Do(Action::kToggle), Status::kContinue);
  EXPECT_EQ(Do(Action::kPickUp), Status::kSuccess);
}

TEST_F(VerifierTest, APickupBeforeItsTurnDoesNotCount) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level_, {3, 4}, {.type = ObjectType::kBall, .color = Color::kRed});
  Start(Before(GoTo(Ball(Color::kRed)), Pickup(Key(Color::kRed))));

  EXPECT_EQ(Do(Action::kPickUp), Status::kContinue) << "too early";
  EXPECT_EQ(Do(Action::kTurnRight), Status::kContinue) << "first half done";
  EXPECT_EQ(Do(Action::kPickUp), Status::kContinue) << "hands are full, nothing is picked up";
}

TEST_F(VerifierTest, TheSecondHalfIsAskedAboutTheActionThatCompletedTheFirst) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Start(After(GoTo(Key(Color::kRed)), Pickup(Key(Color::kRed))));

  EXPECT_EQ(Do(Action::kPickUp), Status::kSuccess) << "picked up, and facing its old place";
}

TEST_F(VerifierTest, PutNextNeedsANeighbourAcrossAnEdge) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level_, {5, 5}, {.type = ObjectType::kBall, .color = Color::kRed});
  Start(PutNext(Key(Color::kRed), Ball(Color::kRed)));
  Do(Action::kPickUp);
  EXPECT_EQ(Do(Action::kDrop), Status::kContinue) << "two cells away";
  Do(Action::kPickUp);
  Do(Action::kGoForward);
  Do(Action::kTurnRight);
  Do(Action::kGoForward);
  Do(Action::kGoForward);
  EXPECT_EQ(level_.world.agent, (Position{4, 5}));

  EXPECT_EQ(Do(Action::kDrop), Status::kContinue) << "diagonal neighbours do not count";
  Do(Action::kPickUp);
  Do(Action::kTurnLeft);
  EXPECT_EQ(Do(Action::kDrop), Status::kContinue) << "the ball is in the way";
  Do(Action::kTurnLeft);

  EXPECT_EQ(Do(Action::kDrop), Status::kContinue);
}

TEST_F(VerifierTest, PutNextCountsTheNeighbourOfTheDropCell) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level_, {5, 3}, {.type = ObjectType::kBall, .color = Color::kRed});
  Start(PutNext(Key(Color::kRed), Ball(Color::kRed)));
  Do(Action::kPickUp);

  EXPECT_EQ(Do(Action::kDrop), Status::kSuccess);
}

TEST_F(VerifierTest, OpenNeedsTheDoorToBeOpenAfterToggling) {
  Put(level_, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kRed, .is_locked = true});
  Start(Open({.type = ObjectType::kDoor}));

  EXPECT_EQ(Do(Action::kToggle), Status::kContinue) << "locked";
  level_.world.carrying = level_.world.grid.Add({.type = ObjectType::kKey, .color = Color::kRed});
  EXPECT_EQ(Do(Action::kToggle), Status::kSuccess);
}

TEST_F(VerifierTest, StrictMissionsFailOnTheWrongAct) {
  Put(level_, {4, 3}, {.type = ObjectType::kDoor, .color = Color::kRed});
  Put(level_, {3, 4}, {.type = ObjectType::kDoor, .color = Color::kBlue});
  Start(Open({.type = ObjectType::kDoor, .color = Color::kBlue}, /*strict=*/true));

  EXPECT_EQ(Do(Action::kToggle), Status::kFailure);
}

TEST_F(VerifierTest, AndKeepsTheSuccessOfEachHalf) {
  Put(level_, {4, 3}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level_, {3, 4}, {.type = ObjectType::kBall, .color = Color::kRed});
  Put(level_, {2, 3}, {.type = ObjectType::kBox, .color = Color::kRed});
  Start(And(GoTo(Ball(Color::kRed)), GoTo({.type = ObjectType::kBox})));

  EXPECT_EQ(Do(Action::kTurnRight), Status::kContinue);
  EXPECT_EQ(Do(Action::kTurnRight), Status::kSuccess);
}

TEST_F(VerifierTest, ADeletedBoxCanStillBeGoneTo) {
  Put(level_, {4, 3}, {.type = ObjectType::kBox, .color = Color::kRed});
  Start(GoTo({.type = ObjectType::kBox}));

  EXPECT_EQ(Do(Action::kToggle), Status::kSuccess) << "its position is still on the list";
  EXPECT_TRUE(level_.world.grid.IsEmpty({4, 3}));
}

TEST(SurfaceForm, SaysTheForOneAndAForSeveral) {
  RoomGrid level = MakeOneRoom();
  Put(level, {1, 1}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level, {2, 1}, {.type = ObjectType::kKey, .color = Color::kBlue});
  Put(level, {6, 3}, {.type = ObjectType::kBall, .color = Color::kGrey});
  Mission mission = Before(And(GoTo(Key(Color::kRed)), Pickup({.type = ObjectType::kKey})),
                           PutNext(Key(Color::kBlue), Ball(Color::kGrey)));

  EXPECT_EQ(SurfaceForm(mission, level),
            "go to the red key and pick up a key, then put the blue key next to the grey ball");
  EXPECT_EQ(NumNavigations(mission), 4);
}

TEST(SurfaceForm, NamesLocations) {
  RoomGrid level = MakeOneRoom();
  Put(level, {5, 1}, {.type = ObjectType::kKey, .color = Color::kRed});
  Put(level, {1, 5}, {.type = ObjectType::kBall, .color = Color::kRed});
  Mission mission =
      After(GoTo({.type = ObjectType::kKey, .location = Location::kFront}),
            After(GoTo({.type = ObjectType::kKey, .location = Location::kLeft}),
                  And(Pickup({.type = ObjectType::kBall, .location = Location::kRight}),
                      Pickup({.color = Color::kRed, .location = Location::kBehind}))));

  EXPECT_EQ(SurfaceForm(mission, level),
            "go to the key in front of you after you go to the key on your left after you pick up "
            "the ball on your right and pick up the red object behind you");
}

}  // namespace
}  // namespace londi::actors::babyai
