#pragma once

#include <signal.h>

#include <thread>

#include "core/clock.h"
#include "transport/wake_fd.h"

namespace londi::launch {

// The signals of a process, turned into things one can ask and wait for. Create it first thing in
// main's thread, before other threads; one object per process. SIGPIPE is ignored (a closed pipe
// is a write error, not the end of the process).
//
// They arrive in a thread of this class, never in the one that made it nor in those it makes from
// then on. A handler writes kilobytes below the stack pointer of the thread it interrupts, and
// oneDNN's matrix products let that point into the heap (decision 0042).
class Signals {
 public:
  Signals();  // Takes over SIGINT, SIGTERM and SIGCHLD.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // How often a person (SIGINT) or the system (SIGTERM) asked this process to end.
  int num_stop_requests() const;

  // As if SIGTERM had come. Any thread.
  void RequestStop();
  // Ends a WaitUntil. Any thread.
  void WakeUp();

  // Blocks until a signal arrives (a child's end included) or `deadline`. One thread.
  void WaitUntil(core::TimePoint deadline);

 private:
  sigset_t before_;  // Blocked in the thread that made this.
  transport::WakeFd stop_;
  std::thread thread_;
};

}  // namespace londi::launch
