#include "actors/envs/babyai/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace londi::actors::babyai {
namespace {

using Sentences = std::vector<std::string>;

constexpr Cell kWallCell{ObjectType::kWall, Color::kGrey, 0};

TEST(DescribeView, SaysNothingAboutEmptySpace) {
  EXPECT_EQ(DescribeView(View(7), nullptr), Sentences{});
}

TEST(DescribeView, NamesAtMostOneWallPerDirection) {
  View view(7);
  view.At(3, 0) = kWallCell;
  view.At(3, 2) = kWallCell;
  view.At(2, 6) = kWallCell;
  view.At(6, 6) = kWallCell;
  view.At(5, 5) = kWallCell;  // Not straight ahead of any side.

  EXPECT_EQ(DescribeView(view, nullptr),
            (Sentences{"You see a wall 4 steps forward",
                       "You see a wall 1 step left",
                       "You see a wall 3 steps right"}));
}

TEST(DescribeView, AnObjectOrDoorHidesTheWallBehindIt) {
  View view(7);
  view.At(3, 0) = kWallCell;
  view.At(3, 3) = {ObjectType::kBall, Color::kGreen, 0};
  view.At(6, 6) = kWallCell;
  view.At(5, 6) = {ObjectType::kDoor, Color::kRed, kDoorOpen};

  EXPECT_EQ(
      DescribeView(view, nullptr),
      (Sentences{"You see a green ball 3 steps forward", "You see a open red door 2 steps right"}));
}

TEST(DescribeView, LooksThroughUnseenCellsForWalls) {
  View view(7);
  view.At(3, 5) = {ObjectType::kUnseen, Color::kRed, 0};
  view.At(3, 4) = kWallCell;

  EXPECT_EQ(DescribeView(view, nullptr), (Sentences{"You see a wall 2 steps forward"}));
}

TEST(DescribeView, GoesByColumnsLeftToRightAndFarToNear) {
  View view(7);
  view.At(0, 0) = {ObjectType::kBox, Color::kYellow, 0};
  view.At(0, 5) = {ObjectType::kKey, Color::kBlue, 0};
  view.At(3, 5) = {ObjectType::kDoor, Color::kGrey, kDoorLocked};
  view.At(4, 5) = {ObjectType::kDoor, Color::kGrey, kDoorClosed};
  view.At(6, 6) = {ObjectType::kBall, Color::kPurple, 0};

  EXPECT_EQ(DescribeView(view, nullptr),
            (Sentences{"You see a yellow box 3 steps left and 6 steps forward",
                       "You see a blue key 3 steps left and 1 step forward",
                       "You see a locked grey door 1 step forward",
                       "You see a closed grey door 1 step right and 1 step forward",
                       "You see a purple ball 3 steps right"}));
}

TEST(DescribeView, NamesWhatIsCarriedFirstAndOnlyOnce) {
  View view(7);
  const WorldObject box{.type = ObjectType::kBox, .color = Color::kRed};
  view.At(3, 6) = box.Encode();
  view.At(3, 4) = kWallCell;

  EXPECT_EQ(DescribeView(view, &box),
            (Sentences{"You carry a red box", "You see a wall 2 steps forward"}));
}

TEST(DescribeView, CountsBeyondNineInTheLargestView) {
  View view(31);
  view.At(0, 0) = {ObjectType::kDoor, Color::kPurple, kDoorClosed};

  EXPECT_EQ(DescribeView(view, nullptr),
            (Sentences{"You see a closed purple door 15 steps left and 30 steps forward"}));
}

}  // namespace
}  // namespace londi::actors::babyai
