#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi coordinator|inference|actor|learner --run DIR`: single processes of a run. People use
// `londi train`; launchers start these.
void AddRoleCommands(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
