#pragma once

#include <atomic>
#include <memory>

#include "core/ids.h"

namespace londi::transport {

// Who this process is, as written into the header of every message. Shared by all channels of a
// process; thread-safe. The run and the incarnation never change; the epoch rises when the
// coordinator restarts (registry_client.h).
class Session {
 public:
  Session(core::RunId run, core::Epoch epoch, core::Incarnation incarnation)
      : run_(run), incarnation_(incarnation), epoch_(epoch.value) {}

  core::RunId run() const { return run_; }
  core::Incarnation incarnation() const { return incarnation_; }
  core::Epoch epoch() const { return core::Epoch(epoch_.load(std::memory_order_relaxed)); }

  // Epochs only rise; a lower one is ignored.
  void RaiseEpoch(core::Epoch epoch) {
    std::int64_t current = epoch_.load(std::memory_order_relaxed);
    while (current < epoch.value && !epoch_.compare_exchange_weak(current, epoch.value)) {
    }
  }

 private:
  const core::RunId run_;
  const core::Incarnation incarnation_;
  std::atomic<std::int64_t> epoch_;
};

using SharedSession = std::shared_ptr<Session>;

}  // namespace londi::transport
