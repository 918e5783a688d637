#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi chaos CONFIG|RUN`: trains under attack, then checks what must hold (docs/reliability.md).
void AddChaosCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
