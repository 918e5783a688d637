#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi train`: a run from its configuration to its report.
void AddTrainCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
