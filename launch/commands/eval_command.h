#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi eval RUN`: any cell of the table again, or all of it.
void AddEvalCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
