#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/bot_map.h"
#include "actors/envs/babyai/bot_subgoal.h"

namespace londi::actors::babyai {

// The bot's plan: a stack of subgoals, made from the mission. Each call looks at the topmost one
// until it names an action; on the way subgoals are reached, refined or replaced.
// Source: baby_ai_bot.py, BabyAIBot and its subgoals.
class BotPlanner {
 public:
  // `environment` must outlive the planner.
  explicit BotPlanner(const BabyAiEnvironment& environment);

  // New episode: plans the mission from the environment's current state.
  void Reset();

  // The action to take now. `taken` is what was executed since the last call; nullopt: nothing yet,
  // or what was advised. nullopt: the plan is done, impossible or too much work; calling again has
  // no meaning then.
  std::optional<Action> Advise(std::optional<Action> taken);

 private:
  // The topmost subgoal before an action (bot_subgoals.cc, bot_go_next_to.cc). They change the
  // stack only when they return kReplan.
  Decision Decide(const Subgoal& subgoal);
  Decision DecideClose() const;
  Decision DecideOpen(const Subgoal& subgoal);
  Decision DecideDrop() const;
  Decision DecidePickup() const;
  Decision DecideExplore();
  Decision DecideGoNextTo(const Subgoal& subgoal);

  void PlanKeyFor(Position locked_door, Color color);
  void PlanToMoveBlockerAhead();

  // Parts of DecideGoNextTo.
  struct Goal {
    enum class Status : std::uint8_t { kFound, kUnseen, kImpossible };
    Status status;
    Position position;
    ObjectId object = kNoObject;  // kNoObject: just a place.
  };
  Goal FindGoal(const Subgoal& subgoal);
  Goal FindNearest(const ObjectDescription& description, bool adjacent);
  Action MoveAway() const;
  std::optional<Decision> FinishIfThere(const Subgoal& subgoal, Position goal);
  Decision Follow(const Route& route);
  Decision StepAhead();
  // From the agent to the first wall or door in that direction, or to the end of the view.
  int FreeCells(Position direction) const;

  // The topmost subgoal after an action that was, or was not, the advised one.
  void ReplanAfter(std::optional<Action> taken);
  void Undo(Action taken);
  void PlanMission(int node);
  void Remember();

  void Push(Subgoal subgoal) { stack_.push_back(std::move(subgoal)); }
  void Pop() { stack_.pop_back(); }

  const World& world() const { return map_.world(); }
  const Grid& grid() const { return map_.grid(); }
  ObjectId ObjectAhead() const { return grid().At(world().Front()); }
  const WorldObject& Ahead() const { return grid().object(ObjectAhead()); }
  bool IsCarrying() const { return world().carrying != kNoObject; }
  bool CarriesKey(Color color) const;
  // All keys of a colour that lie on the map now.
  KeyTarget FindKeys(Color color) const;

  const BabyAiEnvironment& environment_;
  BotMap map_;
  std::vector<Subgoal> stack_;  // The last one is topmost.

  // As left by the last call.
  Position last_agent_;
  ObjectId last_carrying_ = kNoObject;
  ObjectType last_type_ahead_ = ObjectType::kEmpty;
  bool last_door_was_open_ = false;  // Of the last door the agent stood before at a call.
};

}  // namespace londi::actors::babyai
