#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace londi::configs {

// Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other.
// Source: optimal string alignment distance (Damerau 1964).
int EditDistance(std::string_view a, std::string_view b);

// The known name a person most likely meant; "" when none is close (more than half of it differs).
std::string NearestName(std::string_view name, const std::vector<std::string>& known);

}  // namespace londi::configs
