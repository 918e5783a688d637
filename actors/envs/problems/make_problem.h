#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/environment.h"

namespace londi::actors::problems {

// Names without "problems/".
std::vector<std::string> ProblemNames();

// nullptr: there is no such problem.
std::unique_ptr<core::Environment> MakeProblemEnvironment(std::string_view name);

}  // namespace londi::actors::problems
