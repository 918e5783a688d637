#include "actors/envs/babyai/mixed_levels.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/envs/babyai/level_builder.h"
#include "actors/envs/babyai/rng.h"
#include "core/error.h"

namespace londi::actors::babyai {
namespace {

constexpr int kRoomSize = 8;
constexpr int kNumKinds = 5;
constexpr int kMaxDistractors = 12;
constexpr std::array<std::string_view, kNumKinds + 1> kKindNames = {
    "goto", "pickup", "open", "putnext", "sequence", "mixed"};
constexpr std::array kTrainDoors = {Color::kYellow, Color::kGreen, Color::kBlue, Color::kPurple};
constexpr std::array kTestDoors = {Color::kRed, Color::kGrey};

// Whether type and colour are among the pairs that training never names.
bool IsHeldOut(ObjectType type, Color color) {
  switch (type) {
    case ObjectType::kBox:
      return color == Color::kYellow;
    case ObjectType::kKey:
      return color == Color::kRed;
    case ObjectType::kBall:
      return color == Color::kGreen;
    default:
      return color == Color::kRed || color == Color::kGrey;  // Doors.
  }
}

bool IsAllowed(MixedSplit split, const ObjectDescription& description) {
  if (!description.type || !description.color) return true;  // "the door" is in both splits.
  return IsHeldOut(*description.type, *description.color) == (split == MixedSplit::kTest);
}

bool IsAllowed(MixedSplit split, const Mission& mission) {
  return std::ranges::all_of(mission.nodes, [split](const Instruction& node) {
    return IsAllowed(split, node.target) && IsAllowed(split, node.fixed);
  });
}

class MixedMission {
 public:
  MixedMission(LevelBuilder& builder, const MixedOptions& options)
      : builder_(builder), options_(options) {}

  // Rooms, objects, agent and mission of one try, acceptable or not.
  Mission Draw() {
    builder_.BuildRooms();
    switch (options_.kind) {
      case MixedKind::kGoTo:
        return GoTo(DrawTarget());
      case MixedKind::kPickup:
        return Pickup(DrawTarget());
      case MixedKind::kOpen:
        return DrawOpen();
      case MixedKind::kPutNext: {
        auto [moved, fixed] = DrawPair();
        return PutNext(std::move(moved), std::move(fixed));
      }
      default:
        return DrawSequence();
    }
  }

 private:
  ObjectDescription DrawTarget() {
    builder_.PlaceAgent();
    return builder_.Describe(
        builder_.RandElem(builder_.AddDistractors(options_.num_distractors + 1, false)));
  }

  // Two objects; a second one that looks the same is drawn again unless several objects look like
  // that.
  std::pair<ObjectDescription, ObjectDescription> DrawPair() {
    builder_.PlaceAgent();
    const std::vector<ObjectId> objects =
        builder_.AddDistractors(options_.num_distractors + 2, false);
    const auto looks = [&](ObjectId id) {
      return std::pair(builder_.object(id).type, builder_.object(id).color);
    };
    const ObjectId a = builder_.RandElem(objects);
    ObjectId b = builder_.RandElem(objects);
    const auto look_alike =
        std::ranges::count_if(objects, [&](ObjectId id) { return looks(id) == looks(a); });
    while (look_alike < 2 && looks(a) == looks(b)) b = builder_.RandElem(objects);
    return {builder_.Describe(a), builder_.Describe(b)};
  }

  Mission DrawSequence() {
    auto [a, b] = DrawPair();
    const bool before = builder_.RandInt(0, 2) == 0;
    return before ? Before(Pickup(std::move(a)), GoTo(std::move(b)))
                  : After(GoTo(std::move(b)), Pickup(std::move(a)));
  }

  Mission DrawOpen() {
    RoomGrid& level = builder_.level();
    const bool test = options_.split == MixedSplit::kTest;
    const Color color = test ? builder_.RandElem(kTestDoors) : builder_.RandElem(kTrainDoors);
    const int locked_room = AddLockedRoom(color);
    builder_.ConnectAll();
    const int other_room = 1 - locked_room;
    builder_.AddDistractors(options_.num_distractors, false, other_room, 0);
    do {
      builder_.PlaceAgent();
    } while (level.RoomIndexAt(level.world.agent) == locked_room);
    ObjectDescription door{.type = ObjectType::kDoor};
    if (test || builder_.RandInt(0, 2) == 1) door.color = color;
    return Open(std::move(door));
  }

  // Locks the door between the two rooms and puts its key into the room that is not drawn. Returns
  // the index of the locked room. The draws are LevelGen's: room and side until there is a
  // neighbour, then a room for the key.
  int AddLockedRoom(Color color) {
    const RoomGrid& level = builder_.level();
    const auto draw_room = [&] {
      const int col = builder_.RandInt(0, level.shape.num_cols);
      return level.RoomIndex(col, builder_.RandInt(0, level.shape.num_rows));
    };
    int locked_room = 0;
    Side side{};
    do {
      locked_room = draw_room();
      side = static_cast<Side>(builder_.RandInt(0, kNumSides));
    } while (!level.room(locked_room, 0).HasNeighbor(side));
    builder_.AddDoor(locked_room, 0, side, color, true);
    int key_room = draw_room();
    while (key_room == locked_room) key_room = draw_room();
    builder_.AddObject(key_room, 0, ObjectType::kKey, color);
    return locked_room;
  }

  LevelBuilder& builder_;
  const MixedOptions& options_;
};

std::shared_ptr<const Level> MakeKind(const MixedOptions& options) {
  const int num_cols = options.kind == MixedKind::kOpen ? 2 : 1;
  return std::make_shared<const Level>(
      Level{.name = options.split == MixedSplit::kTrain ? "MixedTrain" : "MixedTest",
            .shape = {.room_size = kRoomSize, .num_rows = 1, .num_cols = num_cols},
            .draw_mission = [options](LevelBuilder& builder) {
              while (true) {
                Mission mission = MixedMission(builder, options).Draw();
                if (builder.AllObjectsReachable() && IsAllowed(options.split, mission)) {
                  return mission;
                }
              }
            }});
}

}  // namespace

MixedKind ParseMixedKind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found != kKindNames.end()) return static_cast<MixedKind>(found - kKindNames.begin());
  throw core::ConfigError({.what = "unknown kind '" + std::string(name) + "'",
                           .why = "the mixed levels have five kinds of missions, or all of them.",
                           .fix = "use goto, pickup, open, putnext, sequence or mixed."});
}

void MixedOptions::Validate() const {
  if (num_distractors >= 0 && num_distractors <= kMaxDistractors) return;
  throw core::ConfigError(
      {.what = "num_distractors is " + std::to_string(num_distractors),
       .why = "with more in one room, layouts with every object in reach are too rare.",
       .fix = "use 0 (BALROG's setting), 8 (GLAM's) or another number up to 12."});
}

LevelChooser MixedLevel(const MixedOptions& options) {
  options.Validate();
  if (options.split == MixedSplit::kBoth) {
    const auto of = [&](MixedSplit split) {
      MixedOptions one = options;
      one.split = split;
      return MixedLevel(one);
    };
    return [train = of(MixedSplit::kTrain), test = of(MixedSplit::kTest)](std::uint64_t seed) {
      return NumpyRng(seed, kMixedSplitStream).Integers(0, 2) == 0 ? train(seed) : test(seed);
    };
  }
  if (options.kind != MixedKind::kMixed) {
    return [level = MakeKind(options)](std::uint64_t) { return level; };
  }
  std::array<std::shared_ptr<const Level>, kNumKinds> levels;
  for (std::size_t kind = 0; kind < kNumKinds; ++kind) {
    MixedOptions one = options;
    one.kind = static_cast<MixedKind>(kind);
    levels[kind] = MakeKind(one);
  }
  return [levels](std::uint64_t seed) {
    NumpyRng rng(seed, kMixedKindStream);
    return levels[static_cast<std::size_t>(rng.Integers(0, kNumKinds))];
  };
}

}  // namespace londi::actors::babyai
