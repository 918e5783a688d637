// What the bot decides for every kind of subgoal but going next to something.
#include "actors/envs/babyai/bot_drop_cell.h"
#include "actors/envs/babyai/bot_planner.h"

namespace londi::actors::babyai {
namespace {

using Reason = Subgoal::Reason;

}  // namespace

Decision BotPlanner::Decide(const Subgoal& subgoal) {
  switch (subgoal.kind) {
    case Subgoal::Kind::kClose:
      return DecideClose();
    case Subgoal::Kind::kOpen:
      return DecideOpen(subgoal);
    case Subgoal::Kind::kDrop:
      return DecideDrop();
    case Subgoal::Kind::kPickup:
      return DecidePickup();
    case Subgoal::Kind::kGoNextTo:
      return DecideGoNextTo(subgoal);
    case Subgoal::Kind::kExplore:
      return DecideExplore();
  }
  return kGiveUp;
}

Decision BotPlanner::DecideClose() const {
  const bool is_open_door = Ahead().type == ObjectType::kDoor && Ahead().is_open;
  return is_open_door ? Act(Action::kToggle) : kGiveUp;
}

Decision BotPlanner::DecideOpen(const Subgoal& subgoal) {
  const WorldObject& door = Ahead();
  if (door.type != ObjectType::kDoor) return kGiveUp;
  if (door.is_locked && !CarriesKey(door.color)) {
    PlanKeyFor(world().Front(), door.color);
    return kReplan;
  }
  if (door.is_open) {
    Push(ToClose());
    return kReplan;
  }
  if (door.is_locked && subgoal.reason == Reason::kNone) {
    Pop();
    Push(ToOpen(Reason::kUnlock));
    return kReplan;
  }
  return Act(Action::kToggle);
}

// Replaces the topmost kOpen. What is carried is put down for the time being.
void BotPlanner::PlanKeyFor(Position locked_door, Color color) {
  const KeyTarget keys = FindKeys(color);
  const bool swaps = IsCarrying();
  Pop();
  std::optional<Position> cell;
  if (swaps) {
    cell = FindDropCell(map_);
    Push(ToPickUp());
    Push(ToGoNextToDropCell(cell));
  }
  Push(ToOpen());
  Push(ToGoNextTo(locked_door));
  Push(ToPickUp());
  Push(ToGoNextTo(keys));
  if (swaps) {
    Push(ToDrop());
    Push(ToGoNextToDropCell(cell));
  }
}

Decision BotPlanner::DecideDrop() const {
  const bool can_drop = IsCarrying() && ObjectAhead() == kNoObject;
  return can_drop ? Act(Action::kDrop) : kGiveUp;
}

Decision BotPlanner::DecidePickup() const { return IsCarrying() ? kGiveUp : Act(Action::kPickUp); }

Decision BotPlanner::DecideExplore() {
  const auto unseen = map_.FindRoute([this](Position p) { return !map_.Seen(p); }, true);
  if (unseen) {
    Push(ToGoNextTo(unseen->finish, Reason::kExplore));
    return kReplan;
  }
  // Locked doors come second: to unlock one may need the bot to explore, and so on for ever.
  const auto is_closed = [this](Position p) {
    const Cell cell = grid().CellAt(p);
    return cell.type == ObjectType::kDoor && cell.state != kDoorOpen;
  };
  const auto is_closed_unlocked = [&](Position p) {
    return is_closed(p) && !grid().object(grid().At(p)).is_locked;
  };
  auto route = map_.FindRoute(is_closed_unlocked, true);
  if (!route) route = map_.FindRoute(is_closed, true);
  if (!route) return kGiveUp;  // Nothing is left to explore.

  const ObjectId id = grid().At(route->finish);
  const WorldObject& door = grid().object(id);
  const bool keeps_key = door.is_locked && CarriesKey(door.color);
  Pop();
  Push(ToOpen(keeps_key ? Reason::kKeepKey : Reason::kNone));
  Push(ToGoNextTo(DoorTarget{id}, Reason::kOpenIt));
  return kReplan;
}

}  // namespace londi::actors::babyai
