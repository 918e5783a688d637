#pragma once

#include "actors/envs/babyai/action.h"
#include "actors/envs/babyai/instruction.h"

namespace londi::actors::babyai {

// Minigrid's verifiers with their quirks:
// - the objects a phrase means are frozen at reset; their positions are refreshed by drop actions
// only, so "go to"
//   also succeeds in front of the old place of an object that was picked up;
// - "pick up" and "put next" compare with the hands at the last time *they* were asked, so the
// waiting half of a
//   sequence does not know what happened before its turn;
// - when the first half of a sequence succeeds, the second half is asked about the same action.
// Source: minigrid 3.2.0, envs/babyai/core/verifier.py.

// Start of an episode: freezes the matching objects and forgets all progress.
void ResetVerifiers(Mission& mission, const RoomGrid& level);

// To be called once after each action, when the world has changed already.
Status Verify(Mission& mission, const RoomGrid& level, Action action);

// Whether an object to move lies next to a fixed one. Requires FindMatches on both descriptions.
bool AreNextToEachOther(const Instruction& put_next, const RoomGrid& level);

}  // namespace londi::actors::babyai
