#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

namespace londi::testing {

// Work in a thread of its own, which the destructor waits for. Not std::async: what runs in that is
// not watched by ThreadSanitizer with the options of the preset tsan.
class Background {
 public:
  explicit Background(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          try {
            work();
          } catch (...) {
            failure_ = std::current_exception();
          }
          is_done_ = true;
        }) {}
  ~Background() {
    if (thread_.joinable()) thread_.join();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  bool is_done() const { return is_done_; }
  // Waits for the work and rethrows what it threw. Once.
  void Get() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
  std::atomic<bool> is_done_ = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace londi::testing
