#include "actors/worker_threads.h"

#include <pthread.h>

#include <utility>

namespace londi::actors {

WorkerThreads::~WorkerThreads() {
  if (threads_.empty()) return;
  stop_();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerThreads::Start(const std::string& name, std::function<void()> body) {
  {
    std::lock_guard lock(mutex_);
    ++running_;
  }
  threads_.emplace_back([this, name, body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    Body(body);
  });
}

void WorkerThreads::Body(const std::function<void()>& body) {
  bool failed_first = false;
  try {
    body();
  } catch (...) {
    std::lock_guard lock(mutex_);
    failed_first = exception_ == nullptr;
    if (failed_first) exception_ = std::current_exception();
  }
  if (failed_first) stop_();
  std::lock_guard lock(mutex_);
  --running_;
  finished_.notify_all();
}

bool WorkerThreads::WaitUntil(core::TimePoint deadline) {
  std::unique_lock lock(mutex_);
  return finished_.wait_until(lock, deadline, [&] { return running_ == 0; });
}

void WorkerThreads::ThrowIfFailed() {
  std::lock_guard lock(mutex_);
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

bool WorkerThreads::HasAnyEnded() const {
  std::lock_guard lock(mutex_);
  return running_ < static_cast<int>(threads_.size());
}

void WorkerThreads::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

}  // namespace londi::actors
