#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/envs/babyai/room_grid.h"

namespace londi::actors::babyai {

// Relative to the agent's pose at reset, and only within the room it starts in.
enum class Location : std::uint8_t { kLeft = 0, kRight = 1, kFront = 2, kBehind = 3 };

// "a red ball on your left": which objects a phrase of the mission means.
struct ObjectDescription {
  std::optional<ObjectType> type;  // nullopt: "object" (also matches walls, as in Minigrid).
  std::optional<Color> color;
  std::optional<Location> location;

  // Filled by FindMatches, x outer and y inner. Minigrid keeps two lists that are no longer aligned
  // once an object was picked up or deleted, and its bot indexes both: so they stay two lists here.
  std::vector<ObjectId> objects;    // Frozen at reset.
  std::vector<Position> positions;  // Refreshed by RefreshPositions, on drop actions only.
};

// Looks for the objects that match now and where they are (Minigrid's find_matching_objs).
void FindMatches(ObjectDescription& description, const RoomGrid& level);

// Finds where the objects of `description.objects` lie now; what is carried or deleted has no entry
// (find_matching_objs with use_location=False).
void RefreshPositions(ObjectDescription& description, const RoomGrid& level);

enum class InstructionKind : std::uint8_t {
  kGoTo,
  kOpen,
  kPickup,
  kPutNext,
  kBefore,
  kAfter,
  kAnd
};

// What a verifier says after an action.
enum class Status : std::uint8_t { kContinue, kSuccess, kFailure };

// One node of the mission. Actions use `target` (kPutNext also `fixed`); sequences use `first` and
// `second`.
struct Instruction {
  InstructionKind kind = InstructionKind::kGoTo;
  ObjectDescription target;  // What to go to, open, pick up or move.
  ObjectDescription fixed;   // kPutNext: next to what.
  bool strict = false;  // A wrong act of this kind fails the mission (Minigrid's Debug levels).
  int first = -1;       // Index of instr_a in Mission::nodes: what the surface form names first.
  int second = -1;      // instr_b.

  // State of the verifier, set by ResetVerifiers.
  ObjectId previously_carrying =
      kNoObject;  // kPickup, kPutNext: the hands when this node was last asked.
  Status first_status = Status::kContinue;  // Sequences.
  Status second_status = Status::kContinue;

  bool IsAction() const { return kind <= InstructionKind::kPutNext; }
};

// The instruction tree, flat: children come before their parent, the root is last.
struct Mission {
  std::vector<Instruction> nodes;

  const Instruction& root() const { return nodes.back(); }
  const Instruction& node(int index) const { return nodes[static_cast<std::size_t>(index)]; }
  Instruction& node(int index) { return nodes[static_cast<std::size_t>(index)]; }
  int root_index() const { return static_cast<int>(nodes.size()) - 1; }
};

Mission GoTo(ObjectDescription target);
Mission Open(ObjectDescription door, bool strict = false);
Mission Pickup(ObjectDescription target, bool strict = false);
Mission PutNext(ObjectDescription moved, ObjectDescription fixed, bool strict = false);
Mission Before(Mission first, Mission second, bool strict = false);  // "A, then B"
Mission After(Mission first,
              Mission second,
              bool strict = false);  // "A after you B": B is to be done first.
Mission And(Mission first, Mission second, bool strict = false);  // "A and B"

// The mission in words, e.g. "go to the red ball". Finds the matches anew, because "a" or "the"
// depends on their number. Throws std::logic_error when a phrase matches nothing (a bug of the
// level).
std::string SurfaceForm(Mission& mission, const RoomGrid& level);

// Walks needed, which set the step limit: put next 2, other actions 1, sequences the sum.
int NumNavigations(const Mission& mission);

}  // namespace londi::actors::babyai
