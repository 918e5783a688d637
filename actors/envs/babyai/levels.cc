#include "actors/envs/babyai/levels.h"

#include <array>
#include <memory>
#include <utility>

#include "actors/envs/babyai/level_builder.h"
#include "actors/envs/babyai/level_gen.h"
#include "actors/envs/babyai/mixed_levels.h"
#include "core/error.h"

// Source of every level here: minigrid 3.2.0,
// envs/babyai/{goto,open,pickup,putnext,unlock,other}.py.
namespace londi::actors::babyai {
namespace {

using Draw = std::function<Mission(LevelBuilder&)>;

constexpr RoomGridShape kMaze{.room_size = 8, .num_rows = 3, .num_cols = 3};
constexpr RoomGridShape kSmallMaze{.room_size = 6, .num_rows = 3, .num_cols = 3};

constexpr RoomGridShape OneRoom(int room_size) { return {room_size, 1, 1}; }

// Go to the red ball among `grey` or colourful distractors.
Draw GoToRedBall(int num_distractors, bool grey) {
  return [=](LevelBuilder& builder) {
    builder.PlaceAgent();
    const ObjectId ball = builder.AddObject(0, 0, ObjectType::kBall, Color::kRed);
    for (const ObjectId id : builder.AddDistractors(num_distractors, /*all_unique=*/false)) {
      if (grey) builder.level().world.grid.Recolor(id, Color::kGrey);
    }
    builder.CheckObjectsReachable();
    return GoTo(builder.Describe(ball));
  };
}

Mission DrawGoToObj(LevelBuilder& builder) {
  builder.PlaceAgent();
  return GoTo(builder.Describe(builder.AddDistractors(1, /*all_unique=*/true).front()));
}

Draw GoToLocal(int num_distractors) {
  return [=](LevelBuilder& builder) {
    builder.PlaceAgent();
    const std::vector<ObjectId> objects =
        builder.AddDistractors(num_distractors, /*all_unique=*/false);
    builder.CheckObjectsReachable();
    return GoTo(builder.Describe(builder.RandElem(objects)));
  };
}

Draw PutNextLocal(int num_objects) {
  return [=](LevelBuilder& builder) {
    builder.PlaceAgent();
    const std::vector<ObjectId> objects = builder.AddDistractors(num_objects, /*all_unique=*/true);
    builder.CheckObjectsReachable();
    const std::vector<ObjectId> pair = builder.RandSubset(objects, 2);
    return PutNext(builder.Describe(pair[0]), builder.Describe(pair[1]));
  };
}

Mission DrawPickupLoc(LevelBuilder& builder) {
  static const LevelGenOptions kOptions{.num_distractors = 8,
                                        .locked_room_prob = 0,
                                        .unblocking = false,
                                        .actions = {InstructionKind::kPickup},
                                        .forms = {LevelGenOptions::Form::kAction}};
  return DrawLevelGenMission(builder, kOptions);
}

Mission DrawOpenRedDoor(LevelBuilder& builder) {
  builder.AddDoor(0, 0, Side::kRight, Color::kRed, false);
  builder.PlaceAgent(0, 0);
  return Open({.type = ObjectType::kDoor, .color = Color::kRed});
}

std::vector<Color> AllColors() { return {kSortedColors.begin(), kSortedColors.end()}; }

// Four doors around the agent's room; one is told apart by its colour or by where it is.
enum class SelectBy { kColor, kLocation, kDrawn };

Draw OpenDoor(SelectBy select_by, bool strict) {
  return [=](LevelBuilder& builder) {
    const std::vector<Color> colors = builder.RandSubset(AllColors(), 4);
    for (std::size_t side = 0; side < kNumSides; ++side) {
      builder.AddDoor(1, 1, static_cast<Side>(side), colors[side], false);
    }
    const bool by_color =
        select_by == SelectBy::kDrawn ? builder.RandInt(0, 2) == 0 : select_by == SelectBy::kColor;
    ObjectDescription door{.type = ObjectType::kDoor};
    if (by_color) {
      door.color = colors[0];
    } else {
      door.location = static_cast<Location>(builder.RandInt(0, 4));
    }
    builder.PlaceAgent(1, 1);
    return Open(std::move(door), strict);
  };
}

// Two doors of the middle room, one after the other; a colour that is not given is drawn.
Draw OpenTwoDoors(std::optional<Color> first, std::optional<Color> second, bool strict) {
  return [=](LevelBuilder& builder) {
    const std::vector<Color> drawn = builder.RandSubset(AllColors(), 2);
    const ObjectId left = builder.AddDoor(1, 1, Side::kLeft, first.value_or(drawn[0]), false);
    const ObjectId right = builder.AddDoor(1, 1, Side::kRight, second.value_or(drawn[1]), false);
    builder.PlaceAgent(1, 1);
    return Before(Open(builder.Describe(left), strict), Open(builder.Describe(right)));
  };
}

// Some doors of the middle room; open one of them, or two in the order given.
Draw OpenDoorsOrder(int num_doors, bool strict) {
  return [=](LevelBuilder& builder) {
    std::vector<ObjectId> doors;
    for (const Color color : builder.RandSubset(AllColors(), num_doors)) {
      doors.push_back(builder.AddDoor(1, 1, {}, color, false));
    }
    builder.PlaceAgent(1, 1);
    const std::vector<ObjectId> pair = builder.RandSubset(doors, 2);
    Mission first = Open(builder.Describe(pair[0]), strict);
    Mission second = Open(builder.Describe(pair[1]), strict);
    switch (builder.RandInt(0, 3)) {
      case 0:
        return first;
      case 1:
        return Before(std::move(first), std::move(second));
      default:
        return After(std::move(first), std::move(second));
    }
  };
}

Draw UnlockLocal(bool distractors) {
  return [=](LevelBuilder& builder) {
    const ObjectId door = builder.AddDoor(1, 1, {}, {}, true);
    builder.AddObject(1, 1, ObjectType::kKey, builder.object(door).color);
    if (distractors) builder.AddDistractors(3, /*all_unique=*/true, 1, 1);
    builder.PlaceAgent(1, 1);
    return Open({.type = ObjectType::kDoor});
  };
}

Mission DrawActionObjDoor(LevelBuilder& builder) {
  std::vector<ObjectId> objects = builder.AddDistractors(5, /*all_unique=*/true, 1, 1);
  for (int k = 0; k < 4; ++k) objects.push_back(builder.AddDoor(1, 1, {}, {}, false));
  builder.PlaceAgent(1, 1);
  const ObjectId id = builder.RandElem(objects);
  const bool go = builder.RandBool();
  ObjectDescription target = builder.Describe(id);
  if (go) return GoTo(std::move(target));
  return target.type == ObjectType::kDoor ? Open(std::move(target)) : Pickup(std::move(target));
}

LevelChooser Always(Level level) {
  return
      [shared = std::make_shared<const Level>(std::move(level))](std::uint64_t) { return shared; };
}

LevelChooser Mixed(MixedSplit split, const LevelOptions& options) {
  MixedOptions mixed{.split = split};
  if (!options.kind.empty()) mixed.kind = ParseMixedKind(options.kind);
  if (options.num_distractors) mixed.num_distractors = *options.num_distractors;
  return MixedLevel(mixed);
}

struct Entry {
  std::string_view name;
  RoomGridShape shape;
  Draw draw;
  int max_steps = 0;  // As in Level.
};

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> entries = {
      {"GoToRedBallGrey", OneRoom(8), GoToRedBall(7, true)},
      {"GoToRedBall", OneRoom(8), GoToRedBall(7, false)},
      {"GoToRedBallNoDists", OneRoom(8), GoToRedBall(0, false)},
      {"GoToObj", OneRoom(8), DrawGoToObj},
      {"GoToObjS4", OneRoom(4), DrawGoToObj},
      {"GoToObjS6", OneRoom(6), DrawGoToObj},
      {"GoToLocal", OneRoom(8), GoToLocal(8)},
      {"GoToLocalS5N2", OneRoom(5), GoToLocal(2)},
      {"GoToLocalS6N2", OneRoom(6), GoToLocal(2)},
      {"GoToLocalS6N3", OneRoom(6), GoToLocal(3)},
      {"GoToLocalS6N4", OneRoom(6), GoToLocal(4)},
      {"GoToLocalS7N4", OneRoom(7), GoToLocal(4)},
      {"GoToLocalS7N5", OneRoom(7), GoToLocal(5)},
      {"GoToLocalS8N2", OneRoom(8), GoToLocal(2)},
      {"GoToLocalS8N3", OneRoom(8), GoToLocal(3)},
      {"GoToLocalS8N4", OneRoom(8), GoToLocal(4)},
      {"GoToLocalS8N5", OneRoom(8), GoToLocal(5)},
      {"GoToLocalS8N6", OneRoom(8), GoToLocal(6)},
      {"GoToLocalS8N7", OneRoom(8), GoToLocal(7)},
      {"PickupLoc", OneRoom(8), DrawPickupLoc},
      {"PutNextLocal", OneRoom(8), PutNextLocal(8)},
      {"PutNextLocalS5N3", OneRoom(5), PutNextLocal(3)},
      {"PutNextLocalS6N4", OneRoom(6), PutNextLocal(4)},
      {"OpenRedDoor", {.room_size = 5, .num_rows = 1, .num_cols = 2}, DrawOpenRedDoor},
      {"OpenDoor", kMaze, OpenDoor(SelectBy::kDrawn, false)},
      {"OpenDoorDebug", kMaze, OpenDoor(SelectBy::kDrawn, true)},
      {"OpenDoorColor", kMaze, OpenDoor(SelectBy::kColor, false)},
      {"OpenDoorLoc", kMaze, OpenDoor(SelectBy::kLocation, false)},
      {"OpenTwoDoors", kSmallMaze, OpenTwoDoors({}, {}, false), 720},
      {"OpenRedBlueDoors", kSmallMaze, OpenTwoDoors(Color::kRed, Color::kBlue, false), 720},
      {"OpenRedBlueDoorsDebug", kSmallMaze, OpenTwoDoors(Color::kRed, Color::kBlue, true), 720},
      {"OpenDoorsOrderN2", kSmallMaze, OpenDoorsOrder(2, false), 720},
      {"OpenDoorsOrderN4", kSmallMaze, OpenDoorsOrder(4, false), 720},
      {"OpenDoorsOrderN2Debug", kSmallMaze, OpenDoorsOrder(2, true), 720},
      {"OpenDoorsOrderN4Debug", kSmallMaze, OpenDoorsOrder(4, true), 720},
      {"UnlockLocal", kMaze, UnlockLocal(false)},
      {"UnlockLocalDist", kMaze, UnlockLocal(true)},
      {"ActionObjDoor", {.room_size = 7, .num_rows = 3, .num_cols = 3}, DrawActionObjDoor},
  };
  return entries;
}

}  // namespace

std::vector<std::string> LevelNames() {
  std::vector<std::string> names = {"MixedTrain", "MixedTest", "Mixed"};
  for (const Entry& entry : Entries()) names.emplace_back(entry.name);
  return names;
}

std::optional<LevelChooser> FindLevel(std::string_view name, const LevelOptions& options) {
  if (name == "MixedTrain") return Mixed(MixedSplit::kTrain, options);
  if (name == "MixedTest") return Mixed(MixedSplit::kTest, options);
  if (name == "Mixed") return Mixed(MixedSplit::kBoth, options);
  for (const Entry& entry : Entries()) {
    if (entry.name != name) continue;
    if (!options.kind.empty() || options.num_distractors) {
      throw core::ConfigError(
          {.what = "babyai/" + std::string(name) + " has neither kind nor num_distractors",
           .why = "only babyai/Mixed, babyai/MixedTrain and babyai/MixedTest leave these open.",
           .fix = "remove the option or choose a mixed level."});
    }
    return Always({.name = std::string(name),
                   .shape = entry.shape,
                   .max_steps = entry.max_steps,
                   .draw_mission = entry.draw});
  }
  return std::nullopt;
}

}  // namespace londi::actors::babyai
