#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/clock.h"
#include "core/weights.h"

namespace londi::transport {

// Holds the newest weights for readers in other threads. Thread-safe.
class WeightsSlot {
 public:
  void Store(std::shared_ptr<const core::WeightsSnapshot> weights) {
    std::lock_guard lock(mutex_);
    weights_ = std::move(weights);
    changed_.notify_all();
  }

  std::shared_ptr<const core::WeightsSnapshot> Latest() const {
    std::lock_guard lock(mutex_);
    return weights_;
  }

  // nullptr: `deadline` passed or closed before anything was stored.
  std::shared_ptr<const core::WeightsSnapshot> WaitForFirst(core::TimePoint deadline) const {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [&] { return closed_ || weights_ != nullptr; });
    return weights_;
  }

  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const core::WeightsSnapshot> weights_;  // Guarded by mutex_.
  bool closed_ = false;                                   // Guarded by mutex_.
};

// Throws core::ProtocolError unless `next` is newer than `current` (nullptr: anything is).
void RequireNewerVersion(const core::WeightsSnapshot* current, const core::WeightsSnapshot& next);

}  // namespace londi::transport
