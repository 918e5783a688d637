#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "actors/envs/babyai/grid.h"
#include "actors/envs/babyai/world.h"

namespace londi::actors::babyai {

// Where a room's wall, door or neighbour is.
enum class Side : std::uint8_t { kRight = 0, kDown = 1, kLeft = 2, kUp = 3 };
inline constexpr int kNumSides = 4;
constexpr Side Opposite(Side side) { return static_cast<Side>((static_cast<int>(side) + 2) % 4); }

// What connects a room to the neighbour on one side.
struct Passage {
  enum class Kind : std::uint8_t { kNone, kDoor };
  Kind kind = Kind::kNone;
  ObjectId door = kNoObject;
  bool Exists() const { return kind != Kind::kNone; }
};

struct Room {
  Position top;  // Top left corner, on the wall.
  int size = 0;  // Outer width and height, walls included.
  std::array<Passage, kNumSides> passages{};
  std::array<Position, kNumSides> door_positions{kNowhere, kNowhere, kNowhere, kNowhere};
  std::array<int, kNumSides> neighbors{-1, -1, -1, -1};  // Index of the room, -1: none.
  bool locked = false;  // Lock of the door last added from this room's side, as in Minigrid.
  std::vector<ObjectId> objects;  // As placed by the generator, in that order; no doors.

  bool Contains(Position p) const {  // Its walls included.
    return p.x >= top.x && p.y >= top.y && p.x < top.x + size && p.y < top.y + size;
  }
  bool HasNeighbor(Side side) const { return neighbors[static_cast<std::size_t>(side)] >= 0; }
  Passage& passage(Side side) { return passages[static_cast<std::size_t>(side)]; }
  const Passage& passage(Side side) const { return passages[static_cast<std::size_t>(side)]; }
  Position door_position(Side side) const { return door_positions[static_cast<std::size_t>(side)]; }
};

struct RoomGridShape {
  int room_size = 8;  // Outer size, walls included; neighbours share a wall.
  int num_rows = 3;
  int num_cols = 3;
};

// A world made of num_rows x num_cols square rooms. Plain state; a copy is independent.
// LevelBuilder draws it.
struct RoomGrid {
  RoomGridShape shape;
  World world;
  std::vector<Room> rooms;  // [num_rows * num_cols], row-major.

  int RoomIndex(int col, int row) const { return row * shape.num_cols + col; }
  Room& room(int col, int row) { return rooms[static_cast<std::size_t>(RoomIndex(col, row))]; }
  const Room& room(int col, int row) const {
    return rooms[static_cast<std::size_t>(RoomIndex(col, row))];
  }

  // Shared walls belong to the room right of or below them. `p` must not lie on the outer right or
  // lower wall.
  int RoomIndexAt(Position p) const {
    return RoomIndex(p.x / (shape.room_size - 1), p.y / (shape.room_size - 1));
  }
  const Room& RoomAt(Position p) const { return rooms[static_cast<std::size_t>(RoomIndexAt(p))]; }
};

}  // namespace londi::actors::babyai
