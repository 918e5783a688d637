#include "transport/in_process.h"

#include <algorithm>
#include <utility>

#include "transport/lm_call.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

class InProcessLmClient final : public LmClient {
 public:
  explicit InProcessLmClient(LmRequestQueue& queue) : queue_(queue) {}
  ~InProcessLmClient() override { Close(); }

  core::Proposal Propose(const core::LmRequest& request) override {
    const auto call = std::make_shared<LmCall>();
    {
      std::lock_guard lock(mutex_);
      if (closed_) return ProposalOrThrow(LmClientClosed());
      calls_.push_back(call);
    }
    const Ticket ticket =
        queue_.Submit(request, [call](LmOutcome outcome) { call->Settle(std::move(outcome)); });
    std::optional<LmOutcome> outcome = call->WaitUntil(request.deadline);
    {
      std::lock_guard lock(mutex_);
      std::erase(calls_, call);
    }
    queue_.Cancel(ticket);  // Does nothing for a request that was answered.
    if (!outcome) ThrowLmDeadline(1);
    return ProposalOrThrow(std::move(*outcome));
  }

  void Close() override {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& call : calls_) call->Settle(LmClientClosed());
  }

 private:
  LmRequestQueue& queue_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<LmCall>> calls_;  // Guarded by mutex_.
  bool closed_ = false;                         // Guarded by mutex_.
};

}  // namespace

InProcessLmChannel::InProcessLmChannel(std::size_t max_waiting)
    : queue_(max_waiting), client_(std::make_unique<InProcessLmClient>(queue_)) {}
InProcessLmChannel::~InProcessLmChannel() = default;

std::optional<IncomingLmRequest> InProcessLmChannel::Receive(core::TimePoint deadline) {
  return queue_.Receive(deadline);
}
void InProcessLmChannel::Reply(Ticket ticket, const core::Proposal& proposal) {
  queue_.Reply(ticket, proposal);
}
void InProcessLmChannel::Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) {
  queue_.Refuse(ticket, reason, retry);
}
std::size_t InProcessLmChannel::NumWaiting() const { return queue_.NumWaiting(); }
void InProcessLmChannel::Close() { queue_.Close(); }
bool InProcessLmChannel::IsClosed() const { return queue_.IsClosed(); }

// One actor's stream. All its state is guarded by the channel's mutex.
class InProcessTransitionChannel::Sink final : public TransitionSink {
 public:
  explicit Sink(InProcessTransitionChannel& channel)
      : channel_(channel), spool_(channel.options_.spool) {
    spool_.OnAck(core::Sequence(0), channel.options_.initial_credits);
    std::lock_guard lock(channel_.mutex_);
    channel_.sinks_.push_back(this);
  }

  ~Sink() override {
    std::lock_guard lock(channel_.mutex_);
    std::erase(channel_.sinks_, this);
  }

  bool Push(core::Transition row) override {
    std::unique_lock lock(channel_.mutex_);
    channel_.changed_.wait(lock, [&] { return IsClosed() || !spool_.IsFull(); });
    if (IsClosed()) return false;
    spool_.Push(std::move(row), steady_clock::now());
    channel_.changed_.notify_all();
    return true;
  }

  void StartDraining() override {
    std::lock_guard lock(channel_.mutex_);
    draining_ = true;
    OnAck(spool_.status().acknowledged, 0);
    channel_.changed_.notify_all();
  }

  bool Drain(core::TimePoint deadline) override {
    StartDraining();
    std::unique_lock lock(channel_.mutex_);
    spool_.Flush();
    channel_.changed_.notify_all();
    channel_.changed_.wait_until(
        lock, deadline, [&] { return IsClosed() || spool_.unacknowledged() == 0; });
    return spool_.unacknowledged() == 0;
  }

  SinkStatus status() const override {
    std::lock_guard lock(channel_.mutex_);
    return spool_.status();
  }

  void Close() override {
    std::lock_guard lock(channel_.mutex_);
    closed_ = true;
    channel_.changed_.notify_all();
  }

  TransitionSpool& spool() { return spool_; }
  void OnAck(core::Sequence through, std::int64_t credits) {
    spool_.OnAck(through, draining_ ? channel_.options_.initial_credits : credits);
  }
  bool IsClosed() const { return closed_ || channel_.closed_; }

 private:
  InProcessTransitionChannel& channel_;
  TransitionSpool spool_;
  bool draining_ = false;
  bool closed_ = false;
};

InProcessTransitionChannel::InProcessTransitionChannel(InProcessTransitionOptions options,
                                                       const StreamWatermarks::Snapshot& restored)
    : options_(options) {
  watermarks_.Restore(restored);
}
InProcessTransitionChannel::~InProcessTransitionChannel() { Close(); }

std::unique_ptr<TransitionSink> InProcessTransitionChannel::MakeSink() {
  return std::make_unique<Sink>(*this);
}

std::optional<TransitionBatch> InProcessTransitionChannel::Receive(core::TimePoint deadline) {
  std::unique_lock lock(mutex_);
  while (true) {
    const core::TimePoint now = steady_clock::now();
    if (auto batch = TakeNext(now)) return batch;
    if (closed_ || now >= deadline) return std::nullopt;
    changed_.wait_until(lock, std::min(deadline, NextFlush()));
  }
}

std::optional<TransitionBatch> InProcessTransitionChannel::TakeNext(core::TimePoint now) {
  for (std::size_t turn = 0; turn < sinks_.size(); ++turn) {
    Sink& sink = *sinks_[next_sink_++ % sinks_.size()];
    while (const std::shared_ptr<const TransitionBatch> batch = sink.spool().TakeNext(now)) {
      const core::Sequence first = batch->rows.front().sequence;
      watermarks_.SkipTo(batch->stream, first);
      const auto admission = watermarks_.Admit(batch->stream, first, std::ssize(batch->rows));
      if (!admission || admission->fresh == 0) continue;
      return TransitionBatch{batch->stream,
                             {batch->rows.begin() + admission->duplicates, batch->rows.end()}};
    }
  }
  return std::nullopt;
}

core::TimePoint InProcessTransitionChannel::NextFlush() const {
  core::TimePoint next = core::TimePoint::max();
  for (Sink* sink : sinks_) {
    if (const auto flush = sink->spool().NextFlush()) next = std::min(next, *flush);
  }
  return next;
}

void InProcessTransitionChannel::Ack(StreamId stream,
                                     core::Sequence through,
                                     std::int64_t credits) {
  std::lock_guard lock(mutex_);
  watermarks_.MarkStored(stream, through);
  for (Sink* sink : sinks_) {
    if (sink->spool().stream() == stream) sink->OnAck(watermarks_.Stored(stream), credits);
  }
  changed_.notify_all();
}

StreamWatermarks::Snapshot InProcessTransitionChannel::StoredMarks() const {
  std::lock_guard lock(mutex_);
  return watermarks_.StoredMarks();
}

void InProcessTransitionChannel::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void InProcessWeightsChannel::Publish(std::shared_ptr<const core::WeightsSnapshot> weights) {
  RequireNewerVersion(slot_.Latest().get(), *weights);
  slot_.Store(std::move(weights));
}

}  // namespace londi::transport
