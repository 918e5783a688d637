#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace londi::actors::babyai {

// Values are Minigrid's encoding (first channel of its image).
enum class ObjectType : std::uint8_t {
  kUnseen = 0,
  kEmpty = 1,
  kWall = 2,
  kFloor = 3,
  kDoor = 4,
  kKey = 5,
  kBall = 6,
  kBox = 7,
  kGoal = 8,
  kLava = 9,
};

// Values are Minigrid's encoding (second channel).
enum class Color : std::uint8_t {
  kRed = 0,
  kGreen = 1,
  kBlue = 2,
  kPurple = 3,
  kYellow = 4,
  kGrey = 5,
};

// Minigrid draws colours from the alphabetically sorted names, not in the order of the encoding.
inline constexpr std::array<Color, 6> kSortedColors = {
    Color::kBlue, Color::kGreen, Color::kGrey, Color::kPurple, Color::kRed, Color::kYellow};

std::string_view Name(ObjectType type);  // "wall", "door", "key", ...
std::string_view Name(Color color);      // "red", ...

// Third channel of a door.
inline constexpr std::uint8_t kDoorOpen = 0;
inline constexpr std::uint8_t kDoorClosed = 1;
inline constexpr std::uint8_t kDoorLocked = 2;

// x to the right, y down.
struct Position {
  int x = 0;
  int y = 0;
  friend constexpr bool operator==(Position, Position) = default;
  friend constexpr Position operator+(Position a, Position b) { return {a.x + b.x, a.y + b.y}; }
  friend constexpr Position operator-(Position a, Position b) { return {a.x - b.x, a.y - b.y}; }
  friend constexpr Position operator*(int k, Position p) { return {k * p.x, k * p.y}; }
};

inline int ManhattanDistance(Position a, Position b) {
  return std::abs(a.x - b.x) + std::abs(a.y - b.y);
}

// Where a picked-up object "is".
inline constexpr Position kNowhere{-1, -1};

// What a cell looks like: the three channels of Minigrid's encoding, in its byte order.
struct Cell {
  ObjectType type = ObjectType::kEmpty;
  Color color = Color::kRed;
  std::uint8_t state = 0;  // Doors: kDoorOpen, kDoorClosed or kDoorLocked; else 0.
  friend constexpr bool operator==(Cell, Cell) = default;
};
static_assert(sizeof(Cell) == 3);

// Identity of an object: stays the same while it is carried, dropped, recoloured or copied with its
// Grid.
using ObjectId = std::uint16_t;
inline constexpr ObjectId kNoObject = 0;
inline constexpr ObjectId kWall =
    1;  // All walls share one identity: they never move and are all grey.

struct WorldObject {
  ObjectType type = ObjectType::kEmpty;
  Color color = Color::kRed;
  bool is_open = false;           // Doors.
  bool is_locked = false;         // Doors; an open door's lock flag does not show.
  ObjectId contains = kNoObject;  // Boxes.
  Position initial = kNowhere;    // Where the generator placed it.
  Position current = kNowhere;    // As Minigrid's cur_pos: kNowhere while carried.

  bool CanOverlap() const {
    return (type == ObjectType::kDoor && is_open) || type == ObjectType::kFloor ||
           type == ObjectType::kGoal || type == ObjectType::kLava;
  }
  bool CanPickUp() const {
    return type == ObjectType::kKey || type == ObjectType::kBall || type == ObjectType::kBox;
  }
  Cell Encode() const;
};

// The map: one object identity per cell, and beside it what the cell looks like. Flat, so that
// copies are cheap and looking does not chase pointers.
class Grid {
 public:
  Grid() = default;

  // Removes everything, objects included: an empty map with new identities. Both sizes >= 3.
  void Clear(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  bool Contains(Position p) const { return p.x >= 0 && p.y >= 0 && p.x < width_ && p.y < height_; }

  ObjectId At(Position p) const { return ids_[Index(p)]; }  // kNoObject: empty. `p` must be inside.
  Cell CellAt(Position p) const { return cells_[Index(p)]; }
  bool IsEmpty(Position p) const { return At(p) == kNoObject; }

  const WorldObject& object(ObjectId id) const { return objects_[id]; }

  // Registers an object without placing it.
  ObjectId Add(const WorldObject& object);
  // Puts `id` (kNoObject: nothing) into the cell. Does not touch the object's own positions.
  void Set(Position p, ObjectId id);
  void SetCurrentPosition(ObjectId id, Position current) { objects_[id].current = current; }
  void SetInitialPosition(ObjectId id, Position initial) { objects_[id].initial = initial; }
  // The next two require that the object lies at its current position.
  void Recolor(ObjectId id, Color color);
  void SetDoor(ObjectId id, bool is_open, bool is_locked);

  void DrawWallRectangle(Position top, int width, int height);

 private:
  std::size_t Index(Position p) const { return static_cast<std::size_t>(p.y * width_ + p.x); }
  void Refresh(ObjectId id);

  int width_ = 0;
  int height_ = 0;
  std::vector<ObjectId> ids_;         // [height * width], row-major.
  std::vector<Cell> cells_;           // Same layout: objects_[ids_[i]].Encode().
  std::vector<WorldObject> objects_;  // By identity; 0 and 1 stand for kNoObject and kWall.
};

}  // namespace londi::actors::babyai
