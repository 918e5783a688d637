#pragma once

#include <functional>

namespace CLI {
class App;
}

// Subcommands of `londi`. Each command file declares its options on the parser and leaves in
// `chosen` what to run once the command line is understood; launch/main.cc lists them all.
// CLI11 is slow to compile: only these files include it.
namespace londi::launch {

// Returns the exit status; may throw core::Error, which main prints.
using Chosen = std::function<int()>;

}  // namespace londi::launch
