#pragma once

#include <array>
#include <exception>
#include <optional>
#include <span>
#include <vector>

#include "actors/envs/babyai/instruction.h"
#include "actors/envs/babyai/level.h"
#include "actors/envs/babyai/rng.h"
#include "actors/envs/babyai/room_grid.h"

namespace londi::actors::babyai {

// Thrown inside level drawing only: this layout or mission will not do, draw the whole level again
// with the continued random stream. Never leaves DrawLevel.
class RejectedLayout : public std::exception {
 public:
  explicit RejectedLayout(const char* reason) : reason_(reason) {}
  const char* what() const noexcept override { return reason_; }

 private:
  const char* reason_;
};

// Draws the content of a RoomGrid with exactly Minigrid's sequence of random numbers.
// Source: minigrid 3.2.0, minigrid_env.py, core/roomgrid.py, envs/babyai/core/roomgrid_level.py.
class LevelBuilder {
 public:
  LevelBuilder(RoomGrid& level, NumpyRng& rng) : level_(level), rng_(rng) {}

  RoomGrid& level() { return level_; }
  const RoomGridShape& shape() const { return level_.shape; }

  // Draws, named as in Minigrid.
  int RandInt(int low, int high) { return static_cast<int>(rng_.Integers(low, high)); }
  double RandFloat(double low, double high) { return rng_.Uniform(low, high); }
  bool RandBool() { return rng_.Integers(0, 2) == 0; }
  template <class List>
  auto RandElem(const List& list) {
    return list[static_cast<std::size_t>(RandInt(0, static_cast<int>(list.size())))];
  }
  Color RandColor() { return RandElem(kSortedColors); }
  // `count` distinct elements, in the order drawn.
  template <class T>
  std::vector<T> RandSubset(std::vector<T> list, int count) {
    std::vector<T> out;
    for (int k = 0; k < count; ++k) {
      const int index = RandInt(0, static_cast<int>(list.size()));
      out.push_back(list[static_cast<std::size_t>(index)]);
      list.erase(list.begin() + index);
    }
    return out;
  }

  // Empty rooms with drawn door positions; the agent stands in the middle, facing right.
  void BuildRooms();

  // A new key, ball or box in the room; what is not given is drawn: type, then colour, then place.
  ObjectId AddObject(int col,
                     int row,
                     std::optional<ObjectType> type = {},
                     std::optional<Color> color = {});
  // Puts a registered object on a free cell of the room, neither on nor beside the agent.
  void PlaceInRoom(int col, int row, ObjectId id);
  // Side, colour and lock are drawn, in this order, where not given.
  ObjectId AddDoor(int col,
                   int row,
                   std::optional<Side> side = {},
                   std::optional<Color> color = {},
                   std::optional<bool> locked = {});
  // Stands the agent on a free cell with a drawn heading, facing nothing but emptiness or a wall.
  // Indices that are not given are drawn.
  void PlaceAgent(std::optional<int> col = {}, std::optional<int> row = {});
  // Adds closed doors until every room can be reached from the agent's.
  void ConnectAll(std::span<const Color> colors = kSortedColors);
  // Adds keys, balls and boxes; `all_unique`: none equals a placed object in type and colour. A
  // room that is not given is drawn for each object.
  std::vector<ObjectId> AddDistractors(int count,
                                       bool all_unique,
                                       std::optional<int> col = {},
                                       std::optional<int> row = {});

  // Whether everything can be reached without moving objects (doors are no obstacles).
  bool AllObjectsReachable() const;
  void CheckObjectsReachable() const;  // Throws RejectedLayout.

  const WorldObject& object(ObjectId id) const { return level_.world.grid.object(id); }
  // "{colour} {type}" of an object.
  ObjectDescription Describe(ObjectId id) const;

 private:
  Position PlaceObject(const Room& room, ObjectId id, bool keep_off_agent);

  RoomGrid& level_;
  NumpyRng& rng_;
};

// Draws until a layout and its mission are accepted. Returns the mission; `level` holds the rooms.
Mission DrawLevel(const Level& definition, NumpyRng& rng, RoomGrid& level);

}  // namespace londi::actors::babyai
