#include "launch/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace londi::launch {

Terminal::Terminal(std::chrono::seconds plain_every)
    : plain_every_(plain_every), is_terminal_(isatty(STDOUT_FILENO) == 1) {}

Terminal::~Terminal() {
  if (progress_shown_) fmt::print("\n");
}

void Terminal::EraseProgress() {
  if (progress_shown_) fmt::print("\r\x1b[K");
  progress_shown_ = false;
}

void Terminal::Say(const std::string& line) {
  EraseProgress();
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void Terminal::Progress(const std::string& line, core::TimePoint now) {
  if (!is_terminal_) {
    if (now < next_plain_) return;
    next_plain_ = now + plain_every_;
    fmt::print("{}\n", line);
  } else {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    fmt::print("\r\x1b[K{}", known ? line.substr(0, size.ws_col - 1u) : line);
    progress_shown_ = true;
  }
  std::fflush(stdout);
}

}  // namespace londi::launch
