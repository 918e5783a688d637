#pragma once

#include "launch/commands/command.h"

namespace londi::launch {

// `londi device`: what this build and this machine can compute on.
void AddDeviceCommand(CLI::App& app, Chosen& chosen);

}  // namespace londi::launch
