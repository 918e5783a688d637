#pragma once

#include <vector>

#include "actors/envs/babyai/instruction.h"
#include "actors/envs/babyai/level_builder.h"

namespace londi::actors::babyai {

// BabyAI's general generator: rooms with distractors, maybe a locked one, and a random sentence of
// the language. Source: minigrid 3.2.0, envs/babyai/core/levelgen.py.
struct LevelGenOptions {
  enum class Form { kAction, kAnd, kSequence };

  int num_distractors = 18;
  double locked_room_prob = 0.5;
  bool locations = true;        // "on your left" and so on may occur.
  bool unblocking = true;       // Objects may be in the way. Also set Level::unblocking.
  bool implicit_unlock = true;  // Objects in the locked room may be named without naming its door.
  std::vector<InstructionKind> actions = {InstructionKind::kGoTo,
                                          InstructionKind::kPickup,
                                          InstructionKind::kOpen,
                                          InstructionKind::kPutNext};
  std::vector<Form> forms = {Form::kAction, Form::kAnd, Form::kSequence};
};

Mission DrawLevelGenMission(LevelBuilder& builder, const LevelGenOptions& options);

}  // namespace londi::actors::babyai
