#include "actors/envs/babyai/level_gen.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace londi::actors::babyai {
namespace {

using Form = LevelGenOptions::Form;

constexpr int kMaxDescriptionTries = 101;
constexpr std::array kAllTypes = {
    ObjectType::kBox, ObjectType::kBall, ObjectType::kKey, ObjectType::kDoor};
constexpr std::span<const ObjectType> kMovableTypes(kAllTypes.data(), 3);
constexpr std::span<const ObjectType> kDoorOnly(kAllTypes.data() + 3, 1);
constexpr std::array kLocations = {
    Location::kLeft, Location::kRight, Location::kFront, Location::kBehind};

class LevelGen {
 public:
  LevelGen(LevelBuilder& builder, const LevelGenOptions& options)
      : builder_(builder), options_(options) {}

  Mission Draw() {
    if (builder_.RandFloat(0, 1) < options_.locked_room_prob) AddLockedRoom();
    builder_.ConnectAll();
    builder_.AddDistractors(options_.num_distractors, /*all_unique=*/false);
    const RoomGrid& level = builder_.level();
    do {
      builder_.PlaceAgent();
    } while (locked_room_ && level.RoomIndexAt(level.world.agent) == *locked_room_);
    if (!options_.unblocking) builder_.CheckObjectsReachable();
    return RandInstruction(options_.forms);
  }

 private:
  void AddLockedRoom() {
    RoomGrid& level = builder_.level();
    std::optional<ObjectId> door;
    while (!door) {
      const int col = builder_.RandInt(0, level.shape.num_cols);
      const int row = builder_.RandInt(0, level.shape.num_rows);
      const auto side = static_cast<Side>(builder_.RandInt(0, kNumSides));
      if (!level.room(col, row).HasNeighbor(side)) continue;
      locked_room_ = level.RoomIndex(col, row);
      door = builder_.AddDoor(col, row, side, {}, true);
    }
    while (true) {
      const int col = builder_.RandInt(0, level.shape.num_cols);
      const int row = builder_.RandInt(0, level.shape.num_rows);
      if (level.RoomIndex(col, row) == *locked_room_) continue;
      builder_.AddObject(col, row, ObjectType::kKey, builder_.object(*door).color);
      return;
    }
  }

  bool OnlyInLockedRoom(const ObjectDescription& description) const {
    if (!locked_room_) return false;
    const Room& room = builder_.level().rooms[static_cast<std::size_t>(*locked_room_)];
    return std::ranges::all_of(description.positions, [&](Position p) { return room.Contains(p); });
  }

  ObjectDescription RandObject(std::span<const ObjectType> types) {
    for (int tries = 0; tries < kMaxDescriptionTries; ++tries) {
      ObjectDescription description;
      const int color = builder_.RandInt(0, 1 + static_cast<int>(kSortedColors.size()));
      if (color > 0) description.color = kSortedColors[static_cast<std::size_t>(color - 1)];
      description.type = builder_.RandElem(types);
      if (options_.locations && builder_.RandBool()) {
        description.location = builder_.RandElem(kLocations);
      }
      FindMatches(description, builder_.level());
      if (description.objects.empty()) continue;
      if (!options_.implicit_unlock && OnlyInLockedRoom(description)) continue;
      return description;
    }
    throw RejectedLayout("no suitable object to talk about");
  }

  Mission RandAction() {
    switch (builder_.RandElem(options_.actions)) {
      case InstructionKind::kGoTo:
        return GoTo(RandObject(kAllTypes));
      case InstructionKind::kPickup:
        return Pickup(RandObject(kMovableTypes));
      case InstructionKind::kOpen:
        return Open(RandObject(kDoorOnly));
      default: {
        ObjectDescription moved = RandObject(kMovableTypes);
        return PutNext(std::move(moved), RandObject(kAllTypes));
      }
    }
  }

  Mission RandInstruction(const std::vector<Form>& forms) {
    const Form form = builder_.RandElem(forms);
    if (form == Form::kAction) return RandAction();
    const std::vector<Form> parts =
        form == Form::kAnd ? std::vector{Form::kAction} : std::vector{Form::kAction, Form::kAnd};
    Mission first = RandInstruction(parts);
    Mission second = RandInstruction(parts);
    if (form == Form::kAnd) return And(std::move(first), std::move(second));
    const bool before = builder_.RandInt(0, 2) == 0;
    return before ? Before(std::move(first), std::move(second))
                  : After(std::move(first), std::move(second));
  }

  LevelBuilder& builder_;
  const LevelGenOptions& options_;
  std::optional<int> locked_room_;  // Index of the room.
};

}  // namespace

Mission DrawLevelGenMission(LevelBuilder& builder, const LevelGenOptions& options) {
  return LevelGen(builder, options).Draw();
}

}  // namespace londi::actors::babyai
