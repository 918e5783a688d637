#include "monitor/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace londi::monitor {
namespace {

constexpr std::string_view kPattern = "%Y-%m-%dT%H:%M:%S.%e %-7l %n | %v";
constexpr std::array<std::string_view, 6> kLevels = {
    "trace", "debug", "info", "warn", "error", "off"};

spdlog::level::level_enum ParseLevel(const std::string& level) {
  for (std::string_view known : kLevels) {
    if (level == known) return spdlog::level::from_str(level);
  }
  throw core::ConfigError({.what = "log level \"" + level + "\"",
                           .why = "there is no such level.",
                           .fix = "use trace, debug, info, warn, error or off"});
}

spdlog::sink_ptr MakeFileSink(const std::filesystem::path& file) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& e) {
    throw core::IoError({.what = "cannot write the log " + file.string(),
                         .why = std::string(e.what()) + ".",
                         .fix = "check the folder's permissions and the free disk space"});
  }
}

}  // namespace

void LogOptions::Validate() const {
  ParseLevel(level);
  ParseLevel(console_level);
}

Logger MakeLogger(const LogOptions& options) {
  options.Validate();
  const spdlog::level::level_enum console_level = ParseLevel(options.console_level);
  std::vector<spdlog::sink_ptr> sinks;
  if (!options.file.empty()) {
    sinks.push_back(MakeFileSink(options.file));
    sinks.back()->set_level(ParseLevel(options.level));
  }
  if (console_level != spdlog::level::off) {
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    sinks.back()->set_level(console_level);
  }
  auto logger = std::make_shared<spdlog::logger>(options.role, sinks.begin(), sinks.end());
  logger->set_pattern(std::string(kPattern));
  logger->set_level(std::min(ParseLevel(options.level), console_level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

Logger MakeNullLogger() {
  auto logger =
      std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
  logger->set_level(spdlog::level::off);
  return logger;
}

std::optional<int> LogThrottle::Admit(core::TimePoint now) {
  if (last_ && now - *last_ < interval_) {
    ++held_back_;
    return std::nullopt;
  }
  last_ = now;
  return std::exchange(held_back_, 0);
}

}  // namespace londi::monitor
