#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"

namespace londi::launch {

// Speaks to the person who started the command, on stdout: a terminal gets one line that is
// refreshed in place, a pipe gets a plain line every few seconds. Not thread-safe.
class Terminal {
 public:
  explicit Terminal(std::chrono::seconds plain_every = std::chrono::seconds(5));
  ~Terminal();  // Ends the refreshed line.
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // A line that stays.
  void Say(const std::string& line);
  // The progress at `now`; cut to the terminal's width.
  void Progress(const std::string& line, core::TimePoint now);
  // Other work begins: a pipe gets its first line, however short the work before it was.
  void BeginWork() { next_plain_ = {}; }

 private:
  void EraseProgress();

  const std::chrono::seconds plain_every_;
  const bool is_terminal_;
  bool progress_shown_ = false;
  core::TimePoint next_plain_{};
};

}  // namespace londi::launch
