#include "learner/replay/write_behind.h"

#include <pthread.h>

#include <utility>

namespace londi::learner {

WriteBehind::~WriteBehind() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WriteBehind::Start(std::function<void()> work) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  std::lock_guard lock(mutex_);
  work_ = std::move(work);
  changed_.notify_all();
}

void WriteBehind::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !work_; });
}

void WriteBehind::Run() {
  pthread_setname_np(pthread_self(), thread_name_);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || work_; });
    if (!work_) return;
    lock.unlock();
    work_();  // Nobody changes it before it is done.
    lock.lock();
    work_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace londi::learner
