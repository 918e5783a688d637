#include "actors/envs/babyai/verifier.h"

#include <algorithm>

namespace londi::actors::babyai {
namespace {

class Verifier {
 public:
  Verifier(Mission& mission, const World& world, Action action)
      : mission_(mission), world_(world), action_(action) {}

  Status VerifyNode(int index) {
    Instruction& node = mission_.node(index);
    switch (node.kind) {
      case InstructionKind::kGoTo:
        return VerifyGoTo(node);
      case InstructionKind::kOpen:
        return VerifyOpen(node);
      case InstructionKind::kPickup:
        return VerifyPickup(node);
      case InstructionKind::kPutNext:
        return VerifyPutNext(node);
      case InstructionKind::kBefore:
        return VerifyOrdered(node, node.first, node.first_status, node.second, node.second_status);
      case InstructionKind::kAfter:
        return VerifyOrdered(node, node.second, node.second_status, node.first, node.first_status);
      case InstructionKind::kAnd:
        return VerifyAnd(node);
    }
    return Status::kContinue;
  }

 private:
  Status VerifyGoTo(const Instruction& node) const {
    const auto& positions = node.target.positions;
    const bool faces_one = std::ranges::find(positions, world_.Front()) != positions.end();
    return faces_one ? Status::kSuccess : Status::kContinue;
  }

  Status VerifyOpen(const Instruction& node) const {
    if (action_ != Action::kToggle) return Status::kContinue;
    const ObjectId front = world_.grid.At(world_.Front());
    const WorldObject& object = world_.grid.object(front);
    const auto& doors = node.target.objects;
    if (object.is_open && std::ranges::find(doors, front) != doors.end()) return Status::kSuccess;
    const bool wrong_door = node.strict && object.type == ObjectType::kDoor;
    return wrong_door ? Status::kFailure : Status::kContinue;
  }

  Status VerifyPickup(Instruction& node) const {
    const ObjectId before = node.previously_carrying;
    node.previously_carrying = world_.carrying;
    if (action_ != Action::kPickUp || world_.carrying == kNoObject) return Status::kContinue;
    const auto& wanted = node.target.objects;
    if (before == kNoObject && std::ranges::find(wanted, world_.carrying) != wanted.end()) {
      return Status::kSuccess;
    }
    return node.strict ? Status::kFailure : Status::kContinue;
  }

  Status VerifyPutNext(Instruction& node) const {
    const ObjectId before = node.previously_carrying;
    node.previously_carrying = world_.carrying;
    if (node.strict && action_ == Action::kPickUp && world_.carrying != kNoObject) {
      return Status::kFailure;
    }
    if (action_ != Action::kDrop || before == kNoObject) return Status::kContinue;
    const auto& moved = node.target.objects;
    if (std::ranges::find(moved, before) == moved.end()) return Status::kContinue;
    const Position dropped_at = world_.grid.object(before).current;
    const bool is_next = std::ranges::any_of(
        node.fixed.positions, [&](Position p) { return ManhattanDistance(p, dropped_at) == 1; });
    return is_next ? Status::kSuccess : Status::kContinue;
  }

  // `early` must be completed before `late` counts.
  Status VerifyOrdered(
      const Instruction& node, int early, Status& early_status, int late, Status& late_status) {
    if (early_status != Status::kSuccess) {
      early_status = VerifyNode(early);
      if (early_status == Status::kFailure) return Status::kFailure;
    }
    if (early_status ==
        Status::kSuccess) {  // Maybe just now: then `late` is asked about the same action.
      late_status = VerifyNode(late);
      return late_status;
    }
    const bool too_early = node.strict && VerifyNode(late) == Status::kSuccess;
    return too_early ? Status::kFailure : Status::kContinue;
  }

  // A failure of one half does not end the episode: Minigrid's And ignores it.
  Status VerifyAnd(Instruction& node) {
    if (node.first_status != Status::kSuccess) node.first_status = VerifyNode(node.first);
    if (node.second_status != Status::kSuccess) node.second_status = VerifyNode(node.second);
    const bool both =
        node.first_status == Status::kSuccess && node.second_status == Status::kSuccess;
    return both ? Status::kSuccess : Status::kContinue;
  }

  Mission& mission_;
  const World& world_;
  const Action action_;
};

}  // namespace

void ResetVerifiers(Mission& mission, const RoomGrid& level) {
  for (Instruction& node : mission.nodes) {
    node.previously_carrying = kNoObject;
    node.first_status = Status::kContinue;
    node.second_status = Status::kContinue;
    if (!node.IsAction()) continue;
    FindMatches(node.target, level);
    if (node.kind == InstructionKind::kPutNext) FindMatches(node.fixed, level);
  }
}

Status Verify(Mission& mission, const RoomGrid& level, Action action) {
  if (action == Action::kDrop) {
    for (Instruction& node : mission.nodes) {
      if (!node.IsAction()) continue;
      RefreshPositions(node.target, level);
      if (node.kind == InstructionKind::kPutNext) RefreshPositions(node.fixed, level);
    }
  }
  return Verifier(mission, level.world, action).VerifyNode(mission.root_index());
}

bool AreNextToEachOther(const Instruction& put_next, const RoomGrid& level) {
  for (const ObjectId moved : put_next.target.objects) {
    const Position a = level.world.grid.object(moved).current;
    for (const Position b : put_next.fixed.positions) {
      if (ManhattanDistance(a, b) == 1) return true;
    }
  }
  return false;
}

}  // namespace londi::actors::babyai
