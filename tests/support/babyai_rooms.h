#pragma once

#include "actors/envs/babyai/room_grid.h"

namespace londi::testing {

// Levels made by hand, without random numbers.

// One empty room; the agent stands at (3, 3) and faces right.
inline actors::babyai::RoomGrid MakeOneRoom(int room_size = 8) {
  using actors::babyai::Position;
  actors::babyai::RoomGrid level;
  level.shape = {.room_size = room_size, .num_rows = 1, .num_cols = 1};
  level.world.grid.Clear(room_size, room_size);
  level.world.grid.DrawWallRectangle({0, 0}, room_size, room_size);
  level.world.agent = {3, 3};
  actors::babyai::Room room;
  room.size = room_size;
  level.rooms.push_back(room);
  return level;
}

inline actors::babyai::ObjectId Put(actors::babyai::RoomGrid& level,
                                    actors::babyai::Position position,
                                    actors::babyai::WorldObject object) {
  object.initial = object.current = position;
  const actors::babyai::ObjectId id = level.world.grid.Add(object);
  level.world.grid.Set(position, id);
  return id;
}

}  // namespace londi::testing
