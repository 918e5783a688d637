#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi report RUN`: what a run has come to, without running anything.
void AddReportCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
