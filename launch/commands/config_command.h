#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi config print`: every option with its value, unit, limits and meaning.
void AddConfigCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
