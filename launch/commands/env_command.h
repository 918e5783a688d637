#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi env list` and `londi env trace`: environments outside of any run.
void AddEnvCommand(CLI::App& app, Chosen& chosen);

// `londi play`: a person acts in the terminal.
void AddPlayCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
