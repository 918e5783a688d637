#include "actors/envs/babyai/grid.h"

namespace londi::actors::babyai {

std::string_view Name(ObjectType type) {
  constexpr std::string_view kNames[] = {
      "unseen", "empty", "wall", "floor", "door", "key", "ball", "box", "goal", "lava"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view Name(Color color) {
  constexpr std::string_view kNames[] = {"red", "green", "blue", "purple", "yellow", "grey"};
  return kNames[static_cast<std::size_t>(color)];
}

Cell WorldObject::Encode() const {
  std::uint8_t state = 0;
  if (type == ObjectType::kDoor && !is_open) state = is_locked ? kDoorLocked : kDoorClosed;
  return {type, color, state};
}

void Grid::Clear(int width, int height) {
  width_ = width;
  height_ = height;
  const auto size = static_cast<std::size_t>(width * height);
  ids_.assign(size, kNoObject);
  cells_.assign(size, Cell{});
  objects_.assign({WorldObject{}, WorldObject{.type = ObjectType::kWall, .color = Color::kGrey}});
}

ObjectId Grid::Add(const WorldObject& object) {
  objects_.push_back(object);
  return static_cast<ObjectId>(objects_.size() - 1);
}

void Grid::Set(Position p, ObjectId id) {
  ids_[Index(p)] = id;
  cells_[Index(p)] = objects_[id].Encode();
}

void Grid::Refresh(ObjectId id) { Set(objects_[id].current, id); }

void Grid::Recolor(ObjectId id, Color color) {
  objects_[id].color = color;
  Refresh(id);
}

void Grid::SetDoor(ObjectId id, bool is_open, bool is_locked) {
  objects_[id].is_open = is_open;
  objects_[id].is_locked = is_locked;
  Refresh(id);
}

void Grid::DrawWallRectangle(Position top, int width, int height) {
  for (int x = 0; x < width; ++x) {
    Set(top + Position{x, 0}, kWall);
    Set(top + Position{x, height - 1}, kWall);
  }
  for (int y = 0; y < height; ++y) {
    Set(top + Position{0, y}, kWall);
    Set(top + Position{width - 1, y}, kWall);
  }
}

}  // namespace londi::actors::babyai
