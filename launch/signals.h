#pragma once

#include "core/clock.h"

namespace londi::launch {

// The signals of a process, turned into things one can ask and wait for. Create it first thing in
// main's thread, before other threads; one object per process. SIGPIPE is ignored (a closed pipe
// is a write error, not the end of the process).
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
};

}  // namespace londi::launch
