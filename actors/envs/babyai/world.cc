#include "actors/envs/babyai/world.h"

#include <array>

namespace londi::actors::babyai {
namespace {

constexpr Cell kOutside{ObjectType::kWall, Color::kGrey, 0};
constexpr Cell kUnseenCell{ObjectType::kUnseen, Color::kRed, 0};

bool BlocksSight(Cell cell) {
  return cell.type == ObjectType::kWall ||
         (cell.type == ObjectType::kDoor && cell.state != kDoorOpen);
}

// Minigrid's process_vis on bit rows: bit x of lit[y] = the cell is in sight. Rows from near to
// far; in a row first left to right, then right to left; a lit cell that can be seen through lights
// its neighbour in scan direction, the cell ahead of it and the one diagonally ahead.
void SpreadLight(int size,
                 const std::array<std::uint32_t, kMaxViewSize>& see_through,
                 std::array<std::uint32_t, kMaxViewSize>& lit) {
  for (int y = size - 1; y >= 0; --y) {
    const auto row = static_cast<std::size_t>(y);
    const std::uint32_t open = see_through[row];
    std::uint32_t here = lit[row];
    std::uint32_t ahead = 0;
    for (int x = 0; x < size - 1; ++x) {
      const std::uint32_t passes = here & open & (1U << x);
      here |= passes << 1;
      ahead |= passes | passes << 1;
    }
    for (int x = size - 1; x > 0; --x) {
      const std::uint32_t passes = here & open & (1U << x);
      here |= passes >> 1;
      ahead |= passes | passes >> 1;
    }
    lit[row] = here;
    if (y > 0) lit[row - 1] |= ahead;
  }
}

}  // namespace

Position World::ViewToWorld(int view_size, int x, int y) const {
  const Position forward = Vector(direction);
  return agent + (view_size - 1 - y) * forward + (x - view_size / 2) * RightOf(forward);
}

bool World::InView(int view_size, Position p) const {
  const Position forward = Vector(direction);
  const Position right = RightOf(forward);
  const Position offset = p - agent;
  const int ahead = offset.x * forward.x + offset.y * forward.y;
  const int aside = offset.x * right.x + offset.y * right.y;
  return ahead >= 0 && ahead < view_size && std::abs(aside) <= view_size / 2;
}

void World::Look(View& view) const {
  const int size = view.size;
  const Position forward = Vector(direction);
  std::array<std::uint32_t, kMaxViewSize> see_through{};
  std::array<std::uint32_t, kMaxViewSize> lit{};
  for (int x = 0; x < size; ++x) {
    Position p = ViewToWorld(size, x, 0);
    for (int y = 0; y < size; ++y, p = p - forward) {
      const Cell cell = grid.Contains(p) ? grid.CellAt(p) : kOutside;
      view.At(x, y) = cell;
      if (!BlocksSight(cell)) see_through[static_cast<std::size_t>(y)] |= 1U << x;
    }
  }
  lit[static_cast<std::size_t>(size - 1)] = 1U << (size / 2);
  SpreadLight(size, see_through, lit);
  for (int x = 0; x < size; ++x) {
    for (int y = 0; y < size; ++y) {
      if ((lit[static_cast<std::size_t>(y)] >> x & 1U) == 0) view.At(x, y) = kUnseenCell;
    }
  }
  view.At(size / 2, size - 1) = grid.object(carrying).Encode();
}

void World::Apply(Action action) {
  switch (action) {
    case Action::kTurnLeft:
      direction = static_cast<Direction>((static_cast<int>(direction) + 3) % 4);
      break;
    case Action::kTurnRight:
      direction = static_cast<Direction>((static_cast<int>(direction) + 1) % 4);
      break;
    case Action::kGoForward:
      if (grid.IsEmpty(Front()) || grid.object(grid.At(Front())).CanOverlap()) agent = Front();
      break;
    case Action::kPickUp:
      PickUp();
      break;
    case Action::kDrop:
      Drop();
      break;
    case Action::kToggle:
      Toggle();
      break;
    case Action::kDone:
      break;
  }
}

void World::PickUp() {
  const ObjectId id = grid.At(Front());
  if (carrying != kNoObject || !grid.object(id).CanPickUp()) return;
  carrying = id;
  grid.SetCurrentPosition(id, kNowhere);
  grid.Set(Front(), kNoObject);
}

void World::Drop() {
  if (carrying == kNoObject || !grid.IsEmpty(Front())) return;
  grid.Set(Front(), carrying);
  grid.SetCurrentPosition(carrying, Front());
  carrying = kNoObject;
}

void World::Toggle() {
  const ObjectId id = grid.At(Front());
  const WorldObject& object = grid.object(id);
  if (object.type == ObjectType::kBox) {
    grid.Set(Front(), object.contains);  // The box is gone; mostly it was empty.
  } else if (object.type == ObjectType::kDoor && !object.is_locked) {
    grid.SetDoor(id, !object.is_open, false);
  } else if (object.type == ObjectType::kDoor) {
    const WorldObject& held = grid.object(carrying);
    if (held.type == ObjectType::kKey && held.color == object.color) grid.SetDoor(id, true, false);
  }
}

}  // namespace londi::actors::babyai
