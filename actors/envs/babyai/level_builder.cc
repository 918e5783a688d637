#include "actors/envs/babyai/level_builder.h"

#include <algorithm>
#include <utility>

#include "actors/envs/babyai/verifier.h"

namespace londi::actors::babyai {
namespace {

constexpr int kMaxPlacementTries = 1001;
constexpr int kMaxConnectTries = 5001;
constexpr std::array kPlaceableTypes = {ObjectType::kKey, ObjectType::kBall, ObjectType::kBox};

bool AllRoomsReachable(const RoomGrid& level) {
  std::vector<bool> reached(level.rooms.size(), false);
  std::vector<int> stack = {level.RoomIndexAt(level.world.agent)};
  std::size_t count = 0;
  while (!stack.empty()) {
    const auto index = static_cast<std::size_t>(stack.back());
    stack.pop_back();
    if (reached[index]) continue;
    reached[index] = true;
    ++count;
    const Room& room = level.rooms[index];
    for (std::size_t side = 0; side < kNumSides; ++side) {
      if (room.passages[side].Exists()) stack.push_back(room.neighbors[side]);
    }
  }
  return count == level.rooms.size();
}

// Missions that would need the key of a locked door for something else, as LevelGen's levels
// exclude them.
bool NamesKeyOfLockedDoor(const RoomGrid& level, const ObjectDescription& description) {
  if (description.type != ObjectType::kKey) return false;
  for (const Room& room : level.rooms) {
    for (const Passage& passage : room.passages) {
      if (passage.kind != Passage::Kind::kDoor) continue;
      const WorldObject& door = level.world.grid.object(passage.door);
      if (door.is_locked && door.color == description.color) return true;
    }
  }
  return false;
}

// Throws RejectedLayout for missions that are solved already or make no sense.
void ValidateMission(const Level& definition, const RoomGrid& level, Mission& mission) {
  for (Instruction& node : mission.nodes) {
    if (node.kind == InstructionKind::kPutNext) {
      FindMatches(node.target, level);
      FindMatches(node.fixed, level);
      for (const ObjectId id : node.target.objects) {
        if (std::ranges::find(node.fixed.objects, id) != node.fixed.objects.end()) {
          throw RejectedLayout("an object is meant by both sides of put next");
        }
      }
      if (AreNextToEachOther(node, level)) throw RejectedLayout("the objects are side by side");
    }
    if (definition.unblocking && node.IsAction() &&
        (NamesKeyOfLockedDoor(level, node.target) || NamesKeyOfLockedDoor(level, node.fixed))) {
      throw RejectedLayout("the mission is about the key of a locked door");
    }
  }
}

}  // namespace

void LevelBuilder::BuildRooms() {
  const auto [size, num_rows, num_cols] = level_.shape;
  const int stride = size - 1;
  World& world = level_.world;
  world.grid.Clear(stride * num_cols + 1, stride * num_rows + 1);
  world.carrying = kNoObject;
  level_.rooms.assign(static_cast<std::size_t>(num_rows * num_cols), Room{});
  for (int row = 0; row < num_rows; ++row) {
    for (int col = 0; col < num_cols; ++col) {
      Room& room = level_.room(col, row);
      room.top = {col * stride, row * stride};
      room.size = size;
      world.grid.DrawWallRectangle(room.top, size, size);
    }
  }
  const auto connect = [&](Room& room, Side side, int neighbor, Position door) {
    room.neighbors[static_cast<std::size_t>(side)] = neighbor;
    room.door_positions[static_cast<std::size_t>(side)] = door;
  };
  for (int row = 0; row < num_rows; ++row) {
    for (int col = 0; col < num_cols; ++col) {
      Room& room = level_.room(col, row);
      const Position first = room.top + Position{1, 1};
      const Position last = room.top + Position{stride, stride};
      if (col < num_cols - 1) {
        const Position door{last.x, RandInt(first.y, last.y)};
        connect(room, Side::kRight, level_.RoomIndex(col + 1, row), door);
        connect(level_.room(col + 1, row), Side::kLeft, level_.RoomIndex(col, row), door);
      }
      if (row < num_rows - 1) {
        const Position door{RandInt(first.x, last.x), last.y};
        connect(room, Side::kDown, level_.RoomIndex(col, row + 1), door);
        connect(level_.room(col, row + 1), Side::kUp, level_.RoomIndex(col, row), door);
      }
    }
  }
  world.agent = {(num_cols / 2) * stride + size / 2, (num_rows / 2) * stride + size / 2};
  world.direction = Direction::kRight;
}

Position LevelBuilder::PlaceObject(const Room& room, ObjectId id, bool keep_off_agent) {
  World& world = level_.world;
  for (int tries = 0; tries < kMaxPlacementTries; ++tries) {
    Position p;
    p.x = RandInt(room.top.x, room.top.x + room.size);
    p.y = RandInt(room.top.y, room.top.y + room.size);
    if (!world.grid.IsEmpty(p) || p == world.agent) continue;
    if (keep_off_agent && ManhattanDistance(p, world.agent) < 2) continue;
    world.grid.Set(p, id);
    return p;
  }
  throw RejectedLayout("no free cell found");
}

void LevelBuilder::PlaceInRoom(int col, int row, ObjectId id) {
  Room& room = level_.room(col, row);
  const Position p = PlaceObject(room, id, /*keep_off_agent=*/true);
  level_.world.grid.SetInitialPosition(id, p);
  level_.world.grid.SetCurrentPosition(id, p);
  room.objects.push_back(id);
}

ObjectId LevelBuilder::AddObject(int col,
                                 int row,
                                 std::optional<ObjectType> type,
                                 std::optional<Color> color) {
  if (!type) type = RandElem(kPlaceableTypes);
  if (!color) color = RandColor();
  const ObjectId id = level_.world.grid.Add({.type = *type, .color = *color});
  PlaceInRoom(col, row, id);
  return id;
}

ObjectId LevelBuilder::AddDoor(int col,
                               int row,
                               std::optional<Side> side,
                               std::optional<Color> color,
                               std::optional<bool> locked) {
  Room& room = level_.room(col, row);
  while (!side) {
    const auto drawn = static_cast<Side>(RandInt(0, kNumSides));
    if (room.HasNeighbor(drawn) && !room.passage(drawn).Exists()) side = drawn;
  }
  if (!color) color = RandColor();
  if (!locked) locked = RandBool();
  room.locked = *locked;
  const Position p = room.door_position(*side);
  const ObjectId door = level_.world.grid.Add(
      {.type = ObjectType::kDoor, .color = *color, .is_locked = *locked, .current = p});
  level_.world.grid.Set(p, door);
  room.passage(*side) = {Passage::Kind::kDoor, door};
  Room& neighbor =
      level_.rooms[static_cast<std::size_t>(room.neighbors[static_cast<std::size_t>(*side)])];
  neighbor.passage(Opposite(*side)) = {Passage::Kind::kDoor, door};
  return door;
}

void LevelBuilder::PlaceAgent(std::optional<int> col, std::optional<int> row) {
  if (!col) col = RandInt(0, shape().num_cols);
  if (!row) row = RandInt(0, shape().num_rows);
  World& world = level_.world;
  while (true) {
    world.agent = kNowhere;
    world.agent = PlaceObject(level_.room(*col, *row), kNoObject, /*keep_off_agent=*/false);
    world.direction = static_cast<Direction>(RandInt(0, 4));
    const ObjectId front = world.grid.At(world.Front());
    if (front == kNoObject || front == kWall) return;
  }
}

void LevelBuilder::ConnectAll(std::span<const Color> colors) {
  bool connected = AllRoomsReachable(level_);
  for (int tries = 1; !connected; ++tries) {
    if (tries >= kMaxConnectTries) throw RejectedLayout("the rooms could not be connected");
    const int col = RandInt(0, shape().num_cols);
    const int row = RandInt(0, shape().num_rows);
    const auto side = static_cast<Side>(RandInt(0, kNumSides));
    const Room& room = level_.room(col, row);
    if (!room.HasNeighbor(side) || room.passage(side).Exists()) continue;
    const int neighbor = room.neighbors[static_cast<std::size_t>(side)];
    if (room.locked || level_.rooms[static_cast<std::size_t>(neighbor)].locked) continue;
    AddDoor(col, row, side, RandElem(colors), false);
    connected = AllRoomsReachable(level_);
  }
}

std::vector<ObjectId> LevelBuilder::AddDistractors(int count,
                                                   bool all_unique,
                                                   std::optional<int> col,
                                                   std::optional<int> row) {
  std::vector<std::pair<ObjectType, Color>> present;
  for (const Room& room : level_.rooms) {
    for (const ObjectId id : room.objects) present.emplace_back(object(id).type, object(id).color);
  }
  std::vector<ObjectId> added;
  while (static_cast<int>(added.size()) < count) {
    const Color color = RandColor();
    const ObjectType type = RandElem(kPlaceableTypes);
    const std::pair looks(type, color);
    if (all_unique && std::ranges::find(present, looks) != present.end()) continue;
    const int room_col = col ? *col : RandInt(0, shape().num_cols);
    const int room_row = row ? *row : RandInt(0, shape().num_rows);
    added.push_back(AddObject(room_col, room_row, type, color));
    present.push_back(looks);
  }
  return added;
}

bool LevelBuilder::AllObjectsReachable() const {
  const World& world = level_.world;
  const Grid& grid = world.grid;
  const auto index = [&](Position p) { return static_cast<std::size_t>(p.y * grid.width() + p.x); };
  std::vector<bool> reached(static_cast<std::size_t>(grid.width() * grid.height()), false);
  std::vector<Position> stack = {world.agent};
  while (!stack.empty()) {
    const Position p = stack.back();
    stack.pop_back();
    if (!grid.Contains(p) || reached[index(p)]) continue;
    reached[index(p)] = true;
    const ObjectType type = grid.CellAt(p).type;
    if (type != ObjectType::kEmpty && type != ObjectType::kDoor) continue;
    for (int d = 0; d < 4; ++d) stack.push_back(p + Vector(static_cast<Direction>(d)));
  }
  for (int y = 0; y < grid.height(); ++y) {
    for (int x = 0; x < grid.width(); ++x) {
      const ObjectId id = grid.At({x, y});
      if (id != kNoObject && id != kWall && !reached[index({x, y})]) return false;
    }
  }
  return true;
}

void LevelBuilder::CheckObjectsReachable() const {
  if (!AllObjectsReachable()) throw RejectedLayout("an object cannot be reached");
}

ObjectDescription LevelBuilder::Describe(ObjectId id) const {
  return {.type = object(id).type, .color = object(id).color};
}

Mission DrawLevel(const Level& definition, NumpyRng& rng, RoomGrid& level) {
  level.shape = definition.shape;
  LevelBuilder builder(level, rng);
  while (true) {
    try {
      builder.BuildRooms();
      Mission mission = definition.draw_mission(builder);
      ValidateMission(definition, level, mission);
      return mission;
    } catch (const RejectedLayout&) {
      continue;  // Minigrid, too, starts over with the stream where it is.
    }
  }
}

}  // namespace londi::actors::babyai
