#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/bounded_queue.h"
#include "transport/codec.h"
#include "transport/io_thread.h"
#include "transport/listener.h"
#include "transport/rejected_messages.h"
#include "transport/zmq_socket.h"
#include "transport/zmq_transitions.h"

namespace londi::transport {
namespace {

class Source final : public ZmqTransitionSource {
 public:
  Source(const ChannelContext& context,
         const TransitionSourceOptions& options,
         const StreamWatermarks::Snapshot& restored)
      : session_(context.session),
        logger_(context.logger),
        options_(options),
        rejected_("transitions.source", context.metrics, context.logger),
        rows_(context.metrics.GetCounter("londi_rows_received_total",
                                         "Rows that arrived for the first time")),
        duplicates_(context.metrics.GetCounter("londi_rows_duplicate_total",
                                               "Rows that arrived again, dropped")),
        gaps_(context.metrics.GetCounter("londi_rows_gaps_total",
                                         "Batches ignored because earlier rows were missing")),
        lost_(context.metrics.GetCounter("londi_rows_lost_total",
                                         "Rows acknowledged once and missing from the log")),
        listener_(context.sockets, zmq::socket_type::router, context.host),
        batches_(options.max_batches),
        io_(
            "source", context.logger, [this](IoThread& io) { Run(io); }, [this] { Close(); }) {
    std::lock_guard lock(mutex_);
    watermarks_.Restore(restored);
  }

  ~Source() override { Close(); }

  const std::string& endpoint() const override { return listener_.endpoint(); }

  std::optional<TransitionBatch> Receive(core::TimePoint deadline) override {
    auto batch = batches_.PopUntil(deadline);
    if (!batch) io_.ThrowIfFailed();
    return batch;
  }

  void Ack(StreamId stream, core::Sequence through, std::int64_t credits) override {
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      watermarks_.MarkStored(stream, through);
      credits_[stream] = credits;
      first = to_acknowledge_.empty();
      to_acknowledge_.insert(stream);
    }
    if (first) io_.Wake();
  }

  StreamWatermarks::Snapshot StoredMarks() const override {
    std::lock_guard lock(mutex_);
    return watermarks_.StoredMarks();
  }

  void Close() override { batches_.Close(); }

 private:
  void Run(IoThread& io) {
    const zmq::socket_ref readable[] = {listener_.socket()};
    while (!io.stopping()) {
      io.Wait(readable, core::TimePoint::max());
      for (int i = 0; i < kMaxBurst; ++i) {
        const std::optional<RoutedMessage> message = TryReceiveRouted(listener_.socket());
        if (!message) break;
        try {
          Handle(*message);
        } catch (const core::ProtocolError& error) {
          rejected_.Add(error);
        }
      }
      SendAcks();
    }
    SendAcks();
  }

  void Handle(const RoutedMessage& message) {
    const Frame frame = DecodeFrame(View(message.body), session_->run());
    if (frame.header.type == MessageType::kTransitions) {
      TakeBatch(message.peer, DecodeTransitions(frame.body));
    } else if (frame.header.type == MessageType::kSinkProbe) {
      AnswerProbe(message.peer, DecodeSinkProbe(frame.body));
    } else {
      throw core::ProtocolError(
          {.what = "a message was refused",
           .why = "a transition source takes batches and probes only.",
           .fix = "connect to the endpoint that was registered for this purpose"});
    }
  }

  void RememberRoute(StreamId stream, const std::string& peer) {
    if (routes_.size() >= options_.max_streams && routes_.count(stream) == 0) {
      throw core::ProtocolError(
          {.what = "a stream was refused",
           .why = "there are " + std::to_string(routes_.size()) + " streams already.",
           .fix = "restart fewer actors: every life of one is a stream"});
    }
    routes_[stream] = peer;
  }

  void TakeBatch(const std::string& peer, TransitionBatch batch) {
    RememberRoute(batch.stream, peer);
    const core::Sequence first = batch.rows.front().sequence;
    std::optional<StreamWatermarks::Admission> admission;
    SourceAck ack;
    {
      std::lock_guard lock(mutex_);
      // A full queue leaves the batch to the sender's next probe; so does one who sends far beyond
      // its credits.
      const std::int64_t limit =
          watermarks_.Stored(batch.stream).value + Credits(batch.stream) + std::ssize(batch.rows);
      if (batches_.IsClosed() || batches_.Size() >= options_.max_batches || first.value > limit)
        return;
      admission = watermarks_.Admit(batch.stream, first, std::ssize(batch.rows));
      ack = MakeAck(batch.stream);
    }
    if (!admission || admission->fresh == 0) {
      ack.gap = !admission;
      (ack.gap ? gaps_ : duplicates_)
          .Increment(ack.gap ? 1 : static_cast<double>(admission->duplicates));
      Send(peer, ack);
      return;
    }
    duplicates_.Increment(static_cast<double>(admission->duplicates));
    rows_.Increment(static_cast<double>(admission->fresh));
    batch.rows.erase(batch.rows.begin(), batch.rows.begin() + admission->duplicates);
    // Only this thread pushes: there is room, unless the queue was closed just now; then nobody
    // will acknowledge.
    [[maybe_unused]] const bool pushed = batches_.TryPush(batch);
  }

  void AnswerProbe(const std::string& peer, const SinkProbe& probe) {
    RememberRoute(probe.stream, peer);
    std::int64_t missing = 0;
    SourceAck ack;
    {
      std::lock_guard lock(mutex_);
      missing = watermarks_.SkipTo(probe.stream, probe.first_held);
      if (probe.draining) draining_.insert(probe.stream);
      ack = MakeAck(probe.stream);
    }
    if (missing > 0) {
      lost_.Increment(static_cast<double>(missing));
      logger_->warn(
          "actor={} incarnation={} rows={} were acknowledged by an earlier learner and are not in "
          "this log",
          probe.stream.actor.value,
          probe.stream.incarnation.value,
          missing);
    }
    ack.probe = probe.number;
    Send(peer, ack);
  }

  // Requires mutex_, as does Credits.
  SourceAck MakeAck(StreamId stream) const {
    return {.stream = stream,
            .stored = watermarks_.Stored(stream),
            .received = watermarks_.Received(stream),
            .credits = Credits(stream)};
  }

  std::int64_t Credits(StreamId stream) const {
    const auto found = credits_.find(stream);
    const bool is_held = found != credits_.end() && !draining_.contains(stream);
    return is_held ? found->second : options_.initial_credits;
  }

  void SendAcks() {
    std::vector<SourceAck> acks;
    {
      std::lock_guard lock(mutex_);
      for (const StreamId stream : to_acknowledge_) acks.push_back(MakeAck(stream));
      to_acknowledge_.clear();
    }
    for (const SourceAck& ack : acks) {
      if (const auto route = routes_.find(ack.stream); route != routes_.end())
        Send(route->second, ack);
    }
  }

  void Send(const std::string& peer, const SourceAck& ack) {
    // A sink that is gone asks by a probe when it is back.
    [[maybe_unused]] const bool sent =
        TrySendTo(listener_.socket(), peer, EncodeSourceAck(*session_, ack));
  }

  SharedSession session_;
  monitor::Logger logger_;
  const TransitionSourceOptions options_;
  RejectedMessages rejected_;
  monitor::Counter rows_, duplicates_, gaps_, lost_;
  Listener listener_;
  std::map<StreamId, std::string> routes_;  // I/O thread only: where a stream was last heard from.

  mutable std::mutex mutex_;
  StreamWatermarks watermarks_;               // Guarded by mutex_, as is all below.
  std::map<StreamId, std::int64_t> credits_;  // As last given by Ack.
  std::set<StreamId> draining_;
  std::set<StreamId> to_acknowledge_;

  core::BoundedQueue<TransitionBatch> batches_;
  IoThread io_;
};

}  // namespace

void TransitionSourceOptions::Validate() const {
  if (initial_credits >= 1 && max_batches >= 1 && max_streams >= 1) return;
  throw core::ConfigError({.what = "a transition source without credits, batches or streams",
                           .why = "no row could ever arrive.",
                           .fix = "set each of them to 1 or more"});
}

std::unique_ptr<ZmqTransitionSource> MakeZmqTransitionSource(
    const ChannelContext& context,
    const TransitionSourceOptions& options,
    const StreamWatermarks::Snapshot& restored) {
  options.Validate();
  return std::make_unique<Source>(context, options, restored);
}

}  // namespace londi::transport
