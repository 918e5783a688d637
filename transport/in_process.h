#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "transport/channel.h"
#include "transport/lm_request_queue.h"
#include "transport/transition_spool.h"
#include "transport/weights_slot.h"

// The channels within one process: the same rules as over ZeroMQ (deadlines, refusals, flush
// policy, credits, spool), no bytes. Used by `--in-process` runs and by tests.
namespace londi::transport {

// One tier's requests. Several workers may Receive from the same channel: whoever is free takes the
// next.
class InProcessLmChannel final : public LmServerChannel {
 public:
  explicit InProcessLmChannel(std::size_t max_waiting = 4096);
  ~InProcessLmChannel() override;

  LmClient& client() { return *client_; }  // Lives as long as the channel.

  std::optional<IncomingLmRequest> Receive(core::TimePoint deadline) override;
  void Reply(Ticket ticket, const core::Proposal& proposal) override;
  void Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) override;
  std::size_t NumWaiting() const override;
  void Close() override;
  bool IsClosed() const override;

 private:
  LmRequestQueue queue_;
  std::unique_ptr<LmClient> client_;
};

struct InProcessTransitionOptions {
  SpoolOptions spool;                   // Of every sink.
  std::int64_t initial_credits = 4096;  // Rows per stream before the first Ack, and when it drains.
};

// The learner's end, and the hub its sinks write to. Must outlive its sinks.
class InProcessTransitionChannel final : public TransitionSource {
 public:
  explicit InProcessTransitionChannel(InProcessTransitionOptions options = {},
                                      const StreamWatermarks::Snapshot& restored = {});
  ~InProcessTransitionChannel() override;

  // One actor's end; each stream needs its own.
  std::unique_ptr<TransitionSink> MakeSink();

  std::optional<TransitionBatch> Receive(core::TimePoint deadline) override;
  void Ack(StreamId stream, core::Sequence through, std::int64_t credits) override;
  StreamWatermarks::Snapshot StoredMarks() const override;
  void Close() override;

 private:
  class Sink;
  std::optional<TransitionBatch> TakeNext(
      core::TimePoint now);  // Requires mutex_, as does NextFlush.
  core::TimePoint NextFlush() const;

  const InProcessTransitionOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Sink*> sinks_;   // Guarded by mutex_, as is all below, and what is inside the sinks.
  std::size_t next_sink_ = 0;  // Sinks take turns.
  StreamWatermarks watermarks_;
  bool closed_ = false;
};

// The newest weights win at once.
class InProcessWeightsChannel final : public WeightsPublisher, public WeightsSubscriber {
 public:
  void Publish(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  std::shared_ptr<const core::WeightsSnapshot> Latest() const override { return slot_.Latest(); }
  std::shared_ptr<const core::WeightsSnapshot> WaitForFirst(core::TimePoint deadline) override {
    return slot_.WaitForFirst(deadline);
  }
  void Close() override { slot_.Close(); }

 private:
  WeightsSlot slot_;
};

}  // namespace londi::transport
