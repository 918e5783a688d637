#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "core/clock.h"
#include "transport/lm_request_queue.h"

namespace londi::transport {

// Where one Propose call waits for its outcome. Settled once, by any thread; later outcomes are
// ignored.
class LmCall {
 public:
  void Settle(LmOutcome outcome) {
    std::lock_guard lock(mutex_);
    if (outcome_) return;
    outcome_ = std::move(outcome);
    settled_.notify_all();
  }

  // nullopt: `deadline` passed.
  [[nodiscard]] std::optional<LmOutcome> WaitUntil(core::TimePoint deadline) {
    std::unique_lock lock(mutex_);
    settled_.wait_until(lock, deadline, [&] { return outcome_.has_value(); });
    return outcome_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable settled_;
  std::optional<LmOutcome> outcome_;
};

// The proposal, or the exception that LanguageModel::Propose promises for a refusal.
core::Proposal ProposalOrThrow(LmOutcome outcome);

// What Propose throws when its deadline passed, respectively when its client was closed.
[[noreturn]] void ThrowLmDeadline(std::size_t num_workers);
LmRefusal LmClientClosed();

}  // namespace londi::transport
