#pragma once

#include <cstdint>
#include <vector>

#include "actors/envs/babyai/action.h"
#include "actors/envs/babyai/grid.h"

namespace londi::actors::babyai {

enum class Direction : std::uint8_t { kRight = 0, kDown = 1, kLeft = 2, kUp = 3 };

constexpr Position Vector(Direction d) {
  constexpr Position kVectors[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
  return kVectors[static_cast<int>(d)];
}
constexpr Position RightOf(Position v) { return {-v.y, v.x}; }

inline constexpr int kMinViewSize = 3;
inline constexpr int kMaxViewSize = 31;

// What the agent sees: a square of size x size cells ahead of it. Column x runs left to right, row
// y far to near; the agent is at (size / 2, size - 1), looking towards y = 0. Stored as Minigrid's
// obs["image"]: cells[x * size + y].
struct View {
  explicit View(int view_size)
      : size(view_size), cells(static_cast<std::size_t>(view_size * view_size)) {}

  const Cell& At(int x, int y) const { return cells[static_cast<std::size_t>(x * size + y)]; }
  Cell& At(int x, int y) { return cells[static_cast<std::size_t>(x * size + y)]; }
  // Whether the cell is in sight (Minigrid's visibility mask).
  bool IsVisible(int x, int y) const { return At(x, y).type != ObjectType::kUnseen; }

  int size;                 // Odd, kMinViewSize to kMaxViewSize.
  std::vector<Cell> cells;  // [size * size]; out of sight = {kUnseen, 0, 0}.
};

// The state that actions change: map, agent, hands. A plain value; a copy is independent.
struct World {
  Grid grid;
  Position agent = kNowhere;
  Direction direction = Direction::kRight;
  ObjectId carrying = kNoObject;

  Position Front() const { return agent + Vector(direction); }
  // World coordinates of the view's cell (x, y); may lie outside the grid.
  Position ViewToWorld(int view_size, int x, int y) const;
  // Whether `p` lies in the square the agent looks at, in sight or not.
  bool InView(int view_size, Position p) const;

  // One Minigrid step without counting it; impossible actions change nothing.
  void Apply(Action action);

  // Fills view.cells. Walls and doors that are not open block sight; cells outside the grid are
  // grey walls; the agent's own cell shows what it carries (or nothing), whatever it stands on.
  void Look(View& view) const;

 private:
  void PickUp();
  void Drop();
  void Toggle();
};

}  // namespace londi::actors::babyai
