#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace londi::learner {

// A thread "learn.write" that does one piece of work at a time beside the one that owns this. It
// begins with the first piece.
class WriteBehind {
 public:
  WriteBehind() = default;
  ~WriteBehind();  // Ends the work at hand first.
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // Requires that there is none at hand. `work` throws nothing.
  void Start(std::function<void()> work);
  // Blocks until the work at hand is done; what it wrote is visible then.
  void Wait();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  // Guarded by mutex_, as is the next; empty = none at hand.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace londi::learner
