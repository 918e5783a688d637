#include "transport/wake_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"

namespace londi::transport {
namespace {

int MakeWakeFd() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd >= 0) return fd;
  throw core::IoError({.what = "cannot start an I/O thread",
                       .why = "the system gives this process no more file descriptors.",
                       .fix = "raise `ulimit -n`"});
}

}  // namespace

WakeFd::WakeFd() : fd_(MakeWakeFd()) {}
WakeFd::~WakeFd() { close(fd_); }

void WakeFd::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread wakes anyway.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

void WakeFd::Clear() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t taken = read(fd_, &wakes, sizeof wakes);
}

std::chrono::milliseconds TimeUntil(core::TimePoint deadline) {
  constexpr std::chrono::milliseconds kLongest{60'000};
  const core::TimePoint now = std::chrono::steady_clock::now();
  if (deadline <= now) return std::chrono::milliseconds(0);
  if (deadline - now >= kLongest) return kLongest;
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
}

}  // namespace londi::transport
