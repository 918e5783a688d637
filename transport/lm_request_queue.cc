#include "transport/lm_request_queue.h"

#include <utility>

namespace londi::transport {
namespace {

LmRefusal Overloaded(std::size_t waiting) {
  return {.reason = {.what = "the inference worker's queue is full",
                     .why = std::to_string(waiting) + " requests are waiting already.",
                     .fix = "start more workers of this tier, or raise inference.max_waiting"}};
}

LmRefusal Stopping() {
  return {.reason = {.what = "the inference worker is stopping",
                     .why = "it answers what it has begun and takes nothing new.",
                     .fix = "another worker of the tier takes over"}};
}

LmRefusal Expired() {
  return {.reason = {.what = "the request expired in the inference worker's queue",
                     .why = "its deadline passed before its turn came.",
                     .fix = "start more workers of this tier, or give requests more time"}};
}

}  // namespace

Ticket LmRequestQueue::Submit(core::LmRequest request, OnOutcome on_outcome) {
  std::unique_lock lock(mutex_);
  const Ticket ticket(++last_ticket_);
  if (closed_ || waiting_.size() >= max_waiting_) {
    LmRefusal refusal = closed_ ? Stopping() : Overloaded(waiting_.size());
    lock.unlock();
    on_outcome(std::move(refusal));
    return ticket;
  }
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  waiting_.push_back({.ticket = ticket,
                      .request = std::move(request),
                      .received_at = std::chrono::steady_clock::now(),
                      .cancelled = cancelled});
  open_.emplace(ticket, Open{std::move(on_outcome), std::move(cancelled)});
  not_empty_.notify_one();
  return ticket;
}

void LmRequestQueue::Cancel(Ticket ticket) {
  std::lock_guard lock(mutex_);
  const auto found = open_.find(ticket);
  if (found == open_.end()) return;
  found->second.cancelled->store(true, std::memory_order_relaxed);
  open_.erase(found);
}

std::optional<IncomingLmRequest> LmRequestQueue::Receive(core::TimePoint deadline) {
  while (true) {
    if (auto incoming = TryReceive()) return incoming;
    std::unique_lock lock(mutex_);
    const auto is_over = [&] { return closed_ || !waiting_.empty(); };
    if (!not_empty_.wait_until(lock, deadline, is_over) || waiting_.empty()) return std::nullopt;
  }
}

std::optional<IncomingLmRequest> LmRequestQueue::TryReceive() {
  while (true) {
    std::unique_lock lock(mutex_);
    if (waiting_.empty()) return std::nullopt;
    IncomingLmRequest incoming = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    if (incoming.IsCancelled()) continue;
    if (incoming.request.deadline > std::chrono::steady_clock::now()) return incoming;
    if (OnOutcome on_outcome = TakeOpen(incoming.ticket)) on_outcome(Expired());
  }
}

void LmRequestQueue::Reply(Ticket ticket, const core::Proposal& proposal) {
  if (OnOutcome on_outcome = TakeOpen(ticket)) on_outcome(proposal);
}

void LmRequestQueue::Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) {
  if (OnOutcome on_outcome = TakeOpen(ticket)) on_outcome(LmRefusal{reason, retry});
}

std::size_t LmRequestQueue::NumWaiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

void LmRequestQueue::Close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  const std::deque<IncomingLmRequest> refused = std::exchange(waiting_, {});
  not_empty_.notify_all();
  lock.unlock();
  for (const IncomingLmRequest& incoming : refused) {
    if (OnOutcome on_outcome = TakeOpen(incoming.ticket)) on_outcome(Stopping());
  }
}

bool LmRequestQueue::IsClosed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

LmRequestQueue::OnOutcome LmRequestQueue::TakeOpen(Ticket ticket) {
  std::lock_guard lock(mutex_);
  const auto found = open_.find(ticket);
  if (found == open_.end()) return nullptr;
  OnOutcome on_outcome = std::move(found->second.on_outcome);
  open_.erase(found);
  return on_outcome;
}

}  // namespace londi::transport
