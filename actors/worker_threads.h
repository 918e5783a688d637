#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"

namespace londi::actors {

// Threads that fail together: the first exception is kept, the others are asked to stop, and Join
// rethrows it.
class WorkerThreads {
 public:
  // `stop`: asks all bodies to return soon; called from the failing thread, at most once.
  explicit WorkerThreads(std::function<void()> stop) : stop_(std::move(stop)) {}
  ~WorkerThreads();  // Stops and joins; what was thrown and not rethrown is dropped.
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // `name`: at most 15 bytes, as the system shows it.
  void Start(const std::string& name, std::function<void()> body);

  // True: all bodies have returned. False: `deadline` passed first.
  [[nodiscard]] bool WaitUntil(core::TimePoint deadline);

  // Rethrows the first exception, if there is one; whoever calls it need not wait for the others.
  void ThrowIfFailed();
  // Whether a body has ended since the last Join. By the thread that calls Start and Join.
  [[nodiscard]] bool HasAnyEnded() const;

  // Blocks until all bodies have returned; rethrows the first exception.
  void Join();

 private:
  void Body(const std::function<void()>& body);

  const std::function<void()> stop_;
  mutable std::mutex mutex_;
  std::condition_variable finished_;
  int running_ = 0;               // Guarded by mutex_.
  std::exception_ptr exception_;  // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace londi::actors
