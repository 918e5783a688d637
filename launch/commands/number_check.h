#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>

namespace londi::launch {

// Refuses what is no number from `least` to `most`. CLI11's own ranges let NaN pass, which is
// neither below nor above them, and print a bound that nobody set with all its 309 digits.
inline CLI::Validator NumberBetween(double least, double most) {
  const std::string range = fmt::format("{:g} to {:g}", least, most);
  const auto check = [=](const std::string& text) {
    double value = 0;
    const bool is_number = CLI::detail::lexical_cast(text, value);
    if (is_number && value >= least && value <= most) return std::string();
    return fmt::format("'{}' is no number from {}", text, range);
  };
  return CLI::Validator(check, range, "");
}

}  // namespace londi::launch
