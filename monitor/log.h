#pragma once

#include <spdlog/logger.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"

namespace londi::monitor {

// spdlog's logger is the interface: logger->info("actor={} episode={} solved", ...). Thread-safe.
//   info   state changes a person waits for (connected, weights v12 loaded, checkpoint written);
//   nothing per step warn   something went wrong and was recovered error  the process will stop
// Put the ids into every line as key=value (actor=3 episode=71).
using Logger = std::shared_ptr<spdlog::logger>;

struct LogOptions {
  std::string role;                   // Names the logger and stands in every line, e.g. "actor.3".
  std::string level = "info";         // trace, debug, info, warn, error, off
  std::filesystem::path file;         // Appended to, its folder is created; empty = no file.
  std::string console_level = "off";  // Lines of this level and above go to stderr as well.
  void Validate() const;              // Throws core::ConfigError naming the levels there are.
};

// Lines look like "2026-01-31T12:00:00.123 info    actor.3 | message"; from `info` on each is
// flushed at once (there are few of them), debug and trace lines when the buffer is full. Throws
// core::ConfigError for an unknown level, core::IoError when the file cannot be opened.
Logger MakeLogger(const LogOptions& options);

// Drops every line: for tests and tools.
Logger MakeNullLogger();

// Lets one line through per `interval`, so that a hostile peer cannot fill the disk through the
// log. Pure: the time is an argument. Not thread-safe.
class LogThrottle {
 public:
  explicit LogThrottle(core::Duration interval) : interval_(interval) {}

  // How many calls were held back since the last one that was let through; nullopt: hold this one
  // back too.
  [[nodiscard]] std::optional<int> Admit(core::TimePoint now);

 private:
  core::Duration interval_;
  std::optional<core::TimePoint> last_;
  int held_back_ = 0;
};

}  // namespace londi::monitor
