#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

void AddFinetuneCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
