#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace londi::configs {

// A number and its unit: "250us", "2ms", "1.5s", "20min", "2h", also "0s". nullopt: anything else.
std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text);

// The same, exact, in the largest unit that needs no fraction: 90 s is "90s", 120 s is "2min".
std::string DurationText(std::chrono::nanoseconds duration);

// For people who wait: "8 s", "3 min 20 s", "1 h 05 min".
std::string RoughDuration(std::chrono::nanoseconds duration);

}  // namespace londi::configs
