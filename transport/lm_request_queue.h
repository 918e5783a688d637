#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <variant>

#include "transport/channel.h"

namespace londi::transport {

struct LmRefusal {
  core::ErrorText reason;
  Retry retry = Retry::kElsewhere;
};
using LmOutcome = std::variant<core::Proposal, LmRefusal>;

// The waiting room of a worker: everything of LmServerChannel except the wire. Requests come in
// through Submit, each leaves through its `on_outcome`, called exactly once, without a lock held,
// by the thread that decided the outcome (unless it was cancelled: then never). `on_outcome` must
// not block.
class LmRequestQueue final : public LmServerChannel {
 public:
  // `max_waiting` >= 1: requests beyond it are refused with Retry::kElsewhere.
  explicit LmRequestQueue(std::size_t max_waiting) : max_waiting_(max_waiting) {}
  ~LmRequestQueue() override { Close(); }

  using OnOutcome = std::function<void(LmOutcome)>;
  Ticket Submit(core::LmRequest request, OnOutcome on_outcome);

  // The client lost interest: `on_outcome` will not be called, IsCancelled() becomes true.
  void Cancel(Ticket ticket);

  std::optional<IncomingLmRequest> Receive(core::TimePoint deadline) override;
  [[nodiscard]] std::optional<IncomingLmRequest> TryReceive();  // What waits; does not block.
  void Reply(Ticket ticket, const core::Proposal& proposal) override;
  void Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) override;
  std::size_t NumWaiting() const override;
  void Close() override;
  bool IsClosed() const override;

 private:
  struct Open {
    OnOutcome on_outcome;
    std::shared_ptr<std::atomic<bool>> cancelled;
  };

  OnOutcome TakeOpen(Ticket ticket);

  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<IncomingLmRequest> waiting_;  // Guarded by mutex_, as is all below.
  std::unordered_map<Ticket, Open> open_;  // Waiting or received, not answered yet.
  std::int64_t last_ticket_ = 0;
  bool closed_ = false;
};

}  // namespace londi::transport
