// How the bot goes next to an object, a phrase's nearest object or a cell.
#include "actors/envs/babyai/bot_drop_cell.h"
#include "actors/envs/babyai/bot_planner.h"

namespace londi::actors::babyai {
namespace {

using Reason = Subgoal::Reason;

// Steps that blockers in the way cost at least: pick up, turn, drop, turn back; with full hands
// first turn, drop, turn back.
constexpr int kUnblockingSteps = 4;
constexpr int kUnblockingStepsCarrying = 7;
// Farther than anything on a map.
constexpr int kTooFar = 999;

}  // namespace

Decision BotPlanner::DecideGoNextTo(const Subgoal& subgoal) {
  // 1. Where to.
  const Goal goal = FindGoal(subgoal);
  if (goal.status == Goal::Status::kImpossible) return kGiveUp;
  if (goal.status == Goal::Status::kUnseen) {
    Push(ToExplore());
    return kReplan;
  }

  // 2. On the way to a locked door with empty hands: rather to its key first.
  const WorldObject& object = grid().object(goal.object);
  if (subgoal.reason == Reason::kOpenIt && object.type == ObjectType::kDoor && object.is_locked &&
      !IsCarrying()) {
    const DoorTarget door{goal.object};
    const KeyTarget keys = FindKeys(object.color);
    Pop();
    Push(ToGoNextTo(door, Reason::kOpenIt));  // From now on to this very door.
    Push(ToPickUp());
    Push(ToGoNextTo(keys));
    return kReplan;
  }

  // 3. Too near, or there.
  const int too_near = subgoal.reason == Reason::kPutNext ? 1 : 0;
  if (ManhattanDistance(goal.position, world().agent) == too_near) return Act(MoveAway());
  if (const auto finished = FinishIfThere(subgoal, goal.position)) return *finished;

  // 4. On the way, at worst through blockers.
  const auto route = map_.FindRoute([&](Position p) { return p == goal.position; }, true);
  if (route && route->length > 0) return Follow(*route);
  Push(ToExplore());
  return kReplan;
}

BotPlanner::Goal BotPlanner::FindGoal(const Subgoal& subgoal) {
  const bool adjacent = subgoal.reason == Reason::kPutNext;
  if (const auto* phrase = std::get_if<PhraseTarget>(&subgoal.target)) {
    return FindNearest(**phrase, adjacent);
  }
  if (const auto* keys = std::get_if<KeyTarget>(&subgoal.target)) {
    return FindNearest(**keys, adjacent);
  }
  if (const auto* door = std::get_if<DoorTarget>(&subgoal.target)) {
    return {Goal::Status::kFound, grid().object(door->id).current, door->id};
  }
  if (const auto* cell = std::get_if<Position>(&subgoal.target)) {
    return {Goal::Status::kFound, *cell};
  }
  return {Goal::Status::kImpossible, kNowhere};
}

// Of the seen objects that match, the one with the shortest way. Walks through `objects` and
// `positions` side by side, like the original, although they need not be aligned.
BotPlanner::Goal BotPlanner::FindNearest(const ObjectDescription& description, bool adjacent) {
  constexpr Goal kImpossible{Goal::Status::kImpossible, kNowhere};
  if (description.objects.empty()) return kImpossible;
  Goal best{Goal::Status::kUnseen, kNowhere};
  int best_distance = kTooFar;
  for (std::size_t i = 0; i < description.objects.size(); ++i) {
    const ObjectId id = description.objects[i];
    if (id == kWall || id == world().carrying || i >= description.positions.size()) continue;
    const Position p = description.positions[i];
    if (!map_.Seen(p)) continue;
    const auto route = map_.FindRoute([p](Position q) { return p == q; }, true);
    if (!route) return kImpossible;
    int distance = route->length;
    if (route->through_blockers) {
      distance += IsCarrying() ? kUnblockingStepsCarrying : kUnblockingSteps;
    }
    if (distance == 0) distance = adjacent ? 3 : 2;  // In the door's own cell: leave it first.
    if (distance == 1 && adjacent) distance = 3;     // No nearer than one that is two cells away.
    if (distance < best_distance) {
      best_distance = distance;
      best = {Goal::Status::kFound, p, id};
    }
  }
  return best;
}

Action BotPlanner::MoveAway() const {
  const Position right = RightOf(Vector(world().direction));
  const auto is_free = [this](Position p) {
    return grid().IsEmpty(p) ||
           (grid().CellAt(p).type == ObjectType::kDoor && grid().CellAt(p).state == kDoorOpen);
  };
  if (is_free(world().Front())) return Action::kGoForward;
  return is_free(world().agent + right) ? Action::kTurnRight : Action::kTurnLeft;
}

std::optional<Decision> BotPlanner::FinishIfThere(const Subgoal& subgoal, Position goal) {
  const Position front = world().Front();
  if (subgoal.reason != Reason::kPutNext) {
    if (goal != front) return std::nullopt;
    Pop();
    return kReplan;
  }
  if (ManhattanDistance(goal, front) != 1) return std::nullopt;
  if (ObjectAhead() == kNoObject) {
    Pop();
    return kReplan;
  }
  if (Ahead().type == ObjectType::kDoor && Ahead().is_open) {
    // Nothing can be dropped in a doorway: make the bot go on to the object behind it.
    Push(ToGoNextTo(front + 2 * Vector(world().direction)));
    return kReplan;
  }
  return std::nullopt;
}

Decision BotPlanner::Follow(const Route& route) {
  const Position forward = Vector(world().direction);
  const Position right = RightOf(forward);
  const Position step = route.first_step - world().agent;
  if (step == forward) return StepAhead();
  if (step == right) return Act(Action::kTurnRight);
  if (step == -1 * right) return Act(Action::kTurnLeft);
  // Straight back: over the side where more can be seen.
  const bool left_is_wider = FreeCells(-1 * right) > FreeCells(right);
  return Act(left_is_wider ? Action::kTurnLeft : Action::kTurnRight);
}

Decision BotPlanner::StepAhead() {
  if (ObjectAhead() == kNoObject) return Act(Action::kGoForward);
  const WorldObject& ahead = Ahead();
  if (ahead.type != ObjectType::kDoor) {
    PlanToMoveBlockerAhead();
    return kReplan;
  }
  if (ahead.is_locked) return kGiveUp;
  if (ahead.is_open) return Act(Action::kGoForward);
  Push(ToOpen());
  return kReplan;
}

// What is carried is put down meanwhile.
void BotPlanner::PlanToMoveBlockerAhead() {
  if (!IsCarrying()) {
    const std::optional<Position> cell = FindDropCell(map_);
    Push(ToDrop());
    Push(ToGoNextToDropCell(cell));
    Push(ToPickUp());
    return;
  }
  const std::optional<Position> cell_for_carried = FindDropCell(map_);
  const std::optional<Position> cell_for_blocker = FindDropCell(map_, cell_for_carried);
  Push(ToPickUp());
  Push(ToGoNextToDropCell(cell_for_carried));

  Push(ToDrop());
  Push(ToGoNextToDropCell(cell_for_blocker));
  Push(ToPickUp());
  Push(ToGoNextTo(world().Front()));

  Push(ToDrop());
  Push(ToGoNextToDropCell(cell_for_carried));
}

int BotPlanner::FreeCells(Position direction) const {
  const int view_size = environment_.view().size;
  Position p = world().agent + direction;
  for (int distance = 1;; ++distance, p = p + direction) {
    if (!world().InView(view_size, p)) return distance - 1;
    const ObjectType type = grid().CellAt(p).type;
    if (type == ObjectType::kDoor || type == ObjectType::kWall) return distance;
  }
}

}  // namespace londi::actors::babyai
