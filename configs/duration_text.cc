#include "configs/duration_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace londi::configs {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 6> kUnits = {
    {{"h", 3600e9}, {"min", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};

}  // namespace

std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, nanoseconds] : kUnits) {
    if (unit != name) continue;
    const double total = number * nanoseconds;
    if (std::abs(total) > 9e18) return std::nullopt;
    return std::chrono::nanoseconds(std::llround(total));
  }
  return std::nullopt;
}

std::string DurationText(std::chrono::nanoseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const auto& [name, nanoseconds] : kUnits) {
    const auto unit = static_cast<std::int64_t>(nanoseconds);
    if (duration.count() % unit == 0) return fmt::format("{}{}", duration.count() / unit, name);
  }
  return fmt::format("{}ns", duration.count());
}

std::string RoughDuration(std::chrono::nanoseconds duration) {
  const auto seconds =
      static_cast<std::int64_t>(std::llround(static_cast<double>(duration.count()) * 1e-9));
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
}

}  // namespace londi::configs
