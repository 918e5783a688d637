#pragma once

#include "core/clock.h"

namespace londi::transport {

// Ends a thread's wait at sockets from another thread: a file descriptor that becomes readable.
class WakeFd {
 public:
  // Throws core::IoError when the system has no more file descriptors for this process.
  WakeFd();
  ~WakeFd();
  WakeFd(const WakeFd&) = delete;
  WakeFd& operator=(const WakeFd&) = delete;

  int fd() const { return fd_; }
  void Wake();   // Any thread.
  void Clear();  // What was woken is awake.

 private:
  const int fd_;
};

// For poll: rounded up, so that a wait never ends just before its deadline and spins.
std::chrono::milliseconds TimeUntil(core::TimePoint deadline);

}  // namespace londi::transport
