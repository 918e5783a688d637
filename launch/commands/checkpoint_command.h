#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi checkpoint inspect RUN`: which checkpoints a run has, and whether they can be restored.
// Ends with status 1 when the newest one cannot.
void AddCheckpointCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
