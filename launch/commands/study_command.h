#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi study`
void AddStudyCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
