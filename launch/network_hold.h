#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

namespace londi::launch {

// Takes a child process off the network while its work goes on: holds those of its threads that
// read and write its sockets (libzmq's), by ptrace. Its peers see silence; what is sent either way
// waits, as behind a broken link, and arrives when the threads go on. Used by one thread only.
class NetworkHold {
 public:
  // Holds nothing yet. nullptr: `pid` has no such threads, or it may not be traced (see
  // docs/decisions/0023-partitions-by-holding-threads.md).
  static std::unique_ptr<NetworkHold> Of(pid_t pid);
  ~NetworkHold();  // Lets everything pass.
  NetworkHold(const NetworkHold&) = delete;
  NetworkHold& operator=(const NetworkHold&) = delete;

  // Does not wait until the threads stand still.
  void Hold();
  void LetPass();

  // Takes leave of threads that ended; the process cannot be reaped before. Call it every now and
  // then. False: none is left.
  [[nodiscard]] bool AnyLeft();

 private:
  struct Thread {
    pid_t tid = 0;
    bool stands = false;
    int signal = 0;  // To be delivered when it goes on.
  };
  NetworkHold() = default;
  void Look(Thread& thread);

  std::vector<Thread> threads_;
};

}  // namespace londi::launch
