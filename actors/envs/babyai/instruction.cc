#include "actors/envs/babyai/instruction.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace londi::actors::babyai {
namespace {

bool MatchesTypeAndColor(const ObjectDescription& description, Cell cell) {
  return (!description.type || *description.type == cell.type) &&
         (!description.color || *description.color == cell.color);
}

bool MatchesLocation(Location location, const RoomGrid& level, const Room& start, Position p) {
  if (!start.Contains(p)) return false;
  const Position forward = Vector(level.world.direction);
  const Position right = RightOf(forward);
  const Position offset = p - level.world.agent;
  const int ahead = offset.x * forward.x + offset.y * forward.y;
  const int aside = offset.x * right.x + offset.y * right.y;
  switch (location) {
    case Location::kLeft:
      return aside < 0;
    case Location::kRight:
      return aside > 0;
    case Location::kFront:
      return ahead > 0;
    case Location::kBehind:
      return ahead < 0;
  }
  return false;
}

// Calls visit(position, id) for every object of fitting type and colour, x outer and y inner.
template <class Visit>
void ForEachMatch(const ObjectDescription& description, const Grid& grid, Visit visit) {
  for (int x = 0; x < grid.width(); ++x) {
    for (int y = 0; y < grid.height(); ++y) {
      const Position p{x, y};
      const ObjectId id = grid.At(p);
      if (id != kNoObject && MatchesTypeAndColor(description, grid.CellAt(p))) visit(p, id);
    }
  }
}

Mission MakeAction(InstructionKind kind,
                   ObjectDescription target,
                   ObjectDescription fixed,
                   bool strict) {
  Mission mission;
  mission.nodes.push_back(
      {.kind = kind, .target = std::move(target), .fixed = std::move(fixed), .strict = strict});
  return mission;
}

Mission MakeSequence(InstructionKind kind, Mission first, Mission second, bool strict) {
  Mission mission = std::move(first);
  const int offset = static_cast<int>(mission.nodes.size());
  for (Instruction& node : second.nodes) {
    if (!node.IsAction()) {
      node.first += offset;
      node.second += offset;
    }
    mission.nodes.push_back(std::move(node));
  }
  mission.nodes.push_back({.kind = kind,
                           .strict = strict,
                           .first = offset - 1,
                           .second = static_cast<int>(mission.nodes.size()) - 1});
  return mission;
}

std::string SurfaceForm(ObjectDescription& description, const RoomGrid& level) {
  constexpr std::string_view kLocations[] = {
      " on your left", " on your right", " in front of you", " behind you"};
  FindMatches(description, level);
  if (description.objects.empty())
    throw std::logic_error("a mission names an object that is not there");
  std::string text = description.objects.size() > 1 ? "a " : "the ";
  if (description.color) text.append(Name(*description.color)).append(" ");
  text.append(description.type ? Name(*description.type) : "object");
  if (description.location)
    text.append(kLocations[static_cast<std::size_t>(*description.location)]);
  return text;
}

std::string SurfaceForm(Mission& mission, int index, const RoomGrid& level) {
  Instruction& node = mission.node(index);
  if (!node.IsAction()) {
    const std::string_view joint = node.kind == InstructionKind::kBefore  ? ", then "
                                   : node.kind == InstructionKind::kAfter ? " after you "
                                                                          : " and ";
    std::string text = SurfaceForm(mission, node.first, level);
    return text.append(joint).append(SurfaceForm(mission, node.second, level));
  }
  const std::string target = SurfaceForm(node.target, level);
  switch (node.kind) {
    case InstructionKind::kGoTo:
      return "go to " + target;
    case InstructionKind::kOpen:
      return "open " + target;
    case InstructionKind::kPickup:
      return "pick up " + target;
    default:
      return "put " + target + " next to " + SurfaceForm(node.fixed, level);
  }
}

}  // namespace

void FindMatches(ObjectDescription& description, const RoomGrid& level) {
  description.objects.clear();
  description.positions.clear();
  const Room& start = level.RoomAt(level.world.agent);
  ForEachMatch(description, level.world.grid, [&](Position p, ObjectId id) {
    if (description.location && !MatchesLocation(*description.location, level, start, p)) return;
    description.objects.push_back(id);
    description.positions.push_back(p);
  });
}

void RefreshPositions(ObjectDescription& description, const RoomGrid& level) {
  description.positions.clear();
  ForEachMatch(description, level.world.grid, [&](Position p, ObjectId id) {
    if (std::ranges::find(description.objects, id) != description.objects.end()) {
      description.positions.push_back(p);
    }
  });
}

Mission GoTo(ObjectDescription target) {
  return MakeAction(InstructionKind::kGoTo, std::move(target), {}, false);
}
Mission Open(ObjectDescription door, bool strict) {
  return MakeAction(InstructionKind::kOpen, std::move(door), {}, strict);
}
Mission Pickup(ObjectDescription target, bool strict) {
  return MakeAction(InstructionKind::kPickup, std::move(target), {}, strict);
}
Mission PutNext(ObjectDescription moved, ObjectDescription fixed, bool strict) {
  return MakeAction(InstructionKind::kPutNext, std::move(moved), std::move(fixed), strict);
}
Mission Before(Mission first, Mission second, bool strict) {
  return MakeSequence(InstructionKind::kBefore, std::move(first), std::move(second), strict);
}
Mission After(Mission first, Mission second, bool strict) {
  return MakeSequence(InstructionKind::kAfter, std::move(first), std::move(second), strict);
}
Mission And(Mission first, Mission second, bool strict) {
  return MakeSequence(InstructionKind::kAnd, std::move(first), std::move(second), strict);
}

std::string SurfaceForm(Mission& mission, const RoomGrid& level) {
  return SurfaceForm(mission, mission.root_index(), level);
}

int NumNavigations(const Mission& mission) {
  int count = 0;
  for (const Instruction& node : mission.nodes) {
    if (node.IsAction()) count += node.kind == InstructionKind::kPutNext ? 2 : 1;
  }
  return count;
}

}  // namespace londi::actors::babyai
