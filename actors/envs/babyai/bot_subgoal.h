#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "actors/envs/babyai/action.h"
#include "actors/envs/babyai/grid.h"
#include "actors/envs/babyai/instruction.h"

namespace londi::actors::babyai {

// Where GoNextTo goes.
struct Nowhere {};  // There was no cell to drop something on: impossible, once it is its turn.
struct DoorTarget {
  ObjectId id = kNoObject;
};
using PhraseTarget = const ObjectDescription*;  // Of the mission, which keeps it up to date.
using KeyTarget = std::shared_ptr<const ObjectDescription>;  // As matched when it was planned.
using Target = std::variant<Nowhere, Position, DoorTarget, PhraseTarget, KeyTarget>;

// One entry of the bot's stack. `reason` tunes how it is pursued.
struct Subgoal {
  enum class Kind : std::uint8_t {
    kClose,     // Close the door ahead.
    kOpen,      // Open the door ahead; fetches the key if needed.
    kDrop,      // Drop what is carried onto the cell ahead.
    kPickup,    // Pick up what lies ahead.
    kGoNextTo,  // Face `target`.
    kExplore,   // See something new.
  };
  enum class Reason : std::uint8_t {
    kNone,
    kUnlock,   // kOpen: get rid of the key afterwards.
    kKeepKey,  // kOpen: the key was in the hands before, so it stays there.
    kPutNext,  // kGoNextTo: face an empty cell next to the target.
    kOpenIt,   // kGoNextTo: to open the door `target`; if it is locked, get the key first.
    kExplore,  // kGoNextTo: only to see more; forgotten before the next replanning.
  };

  Kind kind;
  Reason reason = Reason::kNone;
  Target target = Nowhere{};

  bool IsExploratory() const {
    return kind == Kind::kExplore || (kind == Kind::kGoNextTo && reason == Reason::kExplore);
  }
};

inline Subgoal ToClose() { return {.kind = Subgoal::Kind::kClose}; }
inline Subgoal ToOpen(Subgoal::Reason reason = Subgoal::Reason::kNone) {
  return {.kind = Subgoal::Kind::kOpen, .reason = reason};
}
inline Subgoal ToDrop() { return {.kind = Subgoal::Kind::kDrop}; }
inline Subgoal ToPickUp() { return {.kind = Subgoal::Kind::kPickup}; }
inline Subgoal ToExplore() { return {.kind = Subgoal::Kind::kExplore}; }
inline Subgoal ToGoNextTo(Target target, Subgoal::Reason reason = Subgoal::Reason::kNone) {
  return {.kind = Subgoal::Kind::kGoNextTo, .reason = reason, .target = std::move(target)};
}
// For what FindDropCell returned.
inline Subgoal ToGoNextToDropCell(std::optional<Position> cell) {
  return ToGoNextTo(cell ? Target(*cell) : Target(Nowhere{}));
}

// What one look at the topmost subgoal leads to.
struct Decision {
  enum class Kind : std::uint8_t { kAct, kReplan, kGiveUp };
  Kind kind;
  Action action = Action::kDone;  // kAct only.
};
inline constexpr Decision kReplan{Decision::Kind::kReplan};  // The stack has changed: look again.
inline constexpr Decision kGiveUp{Decision::Kind::kGiveUp};  // No plan leads on from here.
constexpr Decision Act(Action action) { return {Decision::Kind::kAct, action}; }

}  // namespace londi::actors::babyai
