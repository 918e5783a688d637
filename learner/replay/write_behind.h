#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace londi::learner {

// A thread that does one piece of work at a time beside the one that owns this. It begins with the
// first piece. Not std::async: what runs in that is not watched by ThreadSanitizer with the options
// of the preset tsan.
class WriteBehind {
 public:
  // `thread_name`: at most 15 bytes.
  explicit WriteBehind(const char* thread_name) : thread_name_(thread_name) {}
  ~WriteBehind();  // Ends the work at hand first.
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // Requires that there is none at hand. `work` throws nothing.
  void Start(std::function<void()> work);
  // Blocks until the work at hand is done; what it wrote is visible then.
  void Wait();

 private:
  void Run();

  const char* const thread_name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  // Guarded by mutex_, as is the next; empty = none at hand.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace londi::learner
