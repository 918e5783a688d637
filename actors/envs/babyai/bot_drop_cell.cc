#include "actors/envs/babyai/bot_drop_cell.h"

#include <array>
#include <cstdint>

namespace londi::actors::babyai {
namespace {

class DropRule {
 public:
  DropRule(const BotMap& map, std::optional<Position> except) : map_(map), except_(except) {}

  bool IsFree(Position p) const {
    return p != map_.world().agent && p != except_ && map_.Seen(p) && map_.grid().IsEmpty(p);
  }

  // Looks at the ring of the eight neighbours: the free ones must stay connected along the ring,
  // and every object in it must keep a free neighbour.
  bool KeepsWaysOpen(Position p) const {
    if (!IsFree(p)) return false;
    constexpr std::array<Position, kRing> kOffsets = {
        {{-1, -1}, {0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}}};
    std::array<Use, kRing> ring{};
    for (std::size_t i = 0; i < kRing; ++i) ring[i] = UseOf(p + kOffsets[i]);
    int changes = 0;  // Between free and not free, once around.
    for (std::size_t i = 0; i < kRing; ++i) {
      const Use next = ring[(i + 1) % kRing];
      const Use previous = ring[(i + kRing - 1) % kRing];
      if ((ring[i] == Use::kFree) != (next == Use::kFree)) ++changes;
      if (ring[i] == Use::kObject && previous != Use::kFree && next != Use::kFree) return false;
    }
    return changes <= 2;
  }

 private:
  static constexpr std::size_t kRing = 8;
  enum class Use : std::uint8_t { kFree, kWall, kObject };

  // What is unseen may hold an object.
  Use UseOf(Position p) const {
    if (!map_.Seen(p)) return Use::kObject;
    const Cell cell = map_.grid().CellAt(p);
    if (cell.type == ObjectType::kWall) return Use::kWall;
    const bool is_open = cell.type == ObjectType::kEmpty ||
                         (cell.type == ObjectType::kDoor && cell.state == kDoorOpen) ||
                         p == map_.world().agent;
    return is_open && p != except_ ? Use::kFree : Use::kObject;
  }

  const BotMap& map_;
  const std::optional<Position> except_;
};

}  // namespace

std::optional<Position> FindDropCell(BotMap& map, std::optional<Position> except) {
  const DropRule rule(map, except);
  for (const bool may_cross_blockers : {false, true}) {
    const auto best =
        map.FindRoute([&](Position p) { return rule.KeepsWaysOpen(p); }, may_cross_blockers);
    if (best) return best->finish;
    const auto any = map.FindRoute([&](Position p) { return rule.IsFree(p); }, may_cross_blockers);
    if (any) return any->finish;
  }
  return std::nullopt;
}

}  // namespace londi::actors::babyai
