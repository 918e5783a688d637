#include "actors/envs/babyai/text.h"

#include <array>
#include <cstring>
#include <string_view>

namespace londi::actors::babyai {
namespace {

// Builds one sentence on the stack: the longest is "You see a closed purple door 15 steps right and
// 30 steps forward".
class Sentence {
 public:
  Sentence& operator<<(std::string_view text) {
    std::memcpy(buffer_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  // "1 step", "2 steps".
  Sentence& Steps(int n) {
    if (n >= 10) buffer_[size_++] = static_cast<char>('0' + n / 10);
    buffer_[size_++] = static_cast<char>('0' + n % 10);
    return *this << (n > 1 ? " steps " : " step ");
  }
  std::string str() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, 96> buffer_;
  std::size_t size_ = 0;
};

// Where a straight look from the agent meets something: true and the distance if it is a wall.
bool FindWall(const View& view, int dx, int dy, int& distance) {
  int x = view.size / 2;
  int y = view.size - 1;
  for (distance = 1;; ++distance) {
    x += dx;
    y += dy;
    if (x < 0 || y < 0 || x >= view.size) return false;
    const ObjectType type = view.At(x, y).type;
    if (type == ObjectType::kWall) return true;
    if (type > ObjectType::kWall) return false;
  }
}

void DescribeWalls(const View& view, std::vector<std::string>& sentences) {
  struct Ray {
    int dx, dy;
    std::string_view name;
  };
  constexpr Ray kRays[] = {{0, -1, "forward"}, {-1, 0, "left"}, {1, 0, "right"}};
  for (const Ray& ray : kRays) {
    int distance = 0;
    if (FindWall(view, ray.dx, ray.dy, distance)) {
      sentences.push_back(((Sentence() << "You see a wall ").Steps(distance) << ray.name).str());
    }
  }
}

// `aside`: columns to the right of the agent; `ahead`: rows in front of it. Not both 0.
std::string DescribeObject(Cell cell, int aside, int ahead) {
  constexpr std::string_view kDoorStates[] = {"open ", "closed ", "locked "};
  Sentence sentence;
  sentence << "You see a ";
  if (cell.type == ObjectType::kDoor) sentence << kDoorStates[cell.state];
  sentence << Name(cell.color) << " " << Name(cell.type) << " ";
  if (aside != 0) {
    sentence.Steps(aside < 0 ? -aside : aside) << (aside < 0 ? "left" : "right");
    if (ahead != 0) sentence << " and ";
  }
  if (ahead != 0) sentence.Steps(ahead) << "forward";
  return sentence.str();
}

}  // namespace

std::vector<std::string> DescribeView(const View& view, const WorldObject* carried) {
  std::vector<std::string> sentences;
  sentences.reserve(12);
  if (carried != nullptr) {
    sentences.push_back(
        (Sentence() << "You carry a " << Name(carried->color) << " " << Name(carried->type)).str());
  }
  DescribeWalls(view, sentences);
  const int half = view.size / 2;
  for (int x = 0; x < view.size; ++x) {
    for (int y = 0; y < view.size; ++y) {
      const Cell cell = view.At(x, y);
      const int ahead = view.size - 1 - y;
      if (cell.type <= ObjectType::kWall || (x == half && ahead == 0)) continue;
      sentences.push_back(DescribeObject(cell, x - half, ahead));
    }
  }
  return sentences;
}

}  // namespace londi::actors::babyai
