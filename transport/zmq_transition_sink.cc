#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "transport/codec.h"
#include "transport/dealer.h"
#include "transport/io_thread.h"
#include "transport/rejected_messages.h"
#include "transport/spool_journal.h"
#include "transport/zmq_transitions.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

class Sink final : public ZmqTransitionSink {
 public:
  Sink(const ChannelContext& context, const TransitionSinkOptions& options)
      : sockets_(context.sockets),
        session_(context.session),
        logger_(context.logger),
        options_(options),
        rejected_("transitions.sink", context.metrics, context.logger),
        spool_rows_(
            context.metrics.GetGauge("londi_spool_rows", "Rows the learner has not acknowledged")),
        rewinds_(context.metrics.GetCounter("londi_spool_rewinds_total",
                                            "Times rows had to be sent again")),
        spool_(options.spool, options.after),
        io_(
            "sink", context.logger, [this](IoThread& io) { Run(io); }, [this] { Close(); }) {}

  ~Sink() override {
    Close();
    if (journal_ && spool_.unacknowledged() == 0) journal_->Remove();
  }

  void SetEndpoint(const std::string& endpoint) override {
    {
      std::lock_guard lock(mutex_);
      wanted_endpoint_ = endpoint;
    }
    io_.Wake();
  }

  bool Push(core::Transition row) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !spool_.IsFull(); });
    if (closed_) return false;
    if (!options_.journal_folder.empty()) Keep(row);
    const bool was_collecting = spool_.NextFlush().has_value();
    spool_.Push(std::move(row), steady_clock::now());
    const bool collects = spool_.NextFlush().has_value();
    lock.unlock();
    if (!was_collecting || !collects) io_.Wake();  // A timer to set, or a full batch to send.
    return true;
  }

  void StartDraining() override {
    {
      std::lock_guard lock(mutex_);
      draining_ = true;
    }
    io_.Wake();
  }

  bool Drain(core::TimePoint deadline) override {
    StartDraining();
    std::unique_lock lock(mutex_);
    spool_.Flush();
    io_.Wake();
    changed_.wait_until(lock, deadline, [&] { return closed_ || spool_.unacknowledged() == 0; });
    return spool_.unacknowledged() == 0;
  }

  SinkStatus status() const override {
    std::lock_guard lock(mutex_);
    return spool_.status();
  }

  void Close() override {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  // For the next process, should this one be killed. Requires mutex_.
  void Keep(const core::Transition& row) {
    if (!journal_) {
      journal_.emplace(options_.journal_folder, session_, row, options_.spool.max_rows);
    }
    journal_->Write(row);
  }

  void Run(IoThread& io) {
    while (!io.stopping()) {
      Wait(io);
      MoveIfAsked();
      if (!dealer_) continue;
      ReceiveAcks();
      FollowLink();
      ProbeIfDue(steady_clock::now());
      SendBatches();
    }
  }

  void Wait(IoThread& io) {
    if (!dealer_) return io.Wait({}, core::TimePoint::max());
    core::TimePoint deadline = core::TimePoint::max();
    if (dealer_->IsConnected()) {
      std::lock_guard lock(mutex_);
      if (synced_) deadline = spool_.NextFlush().value_or(deadline);
      if (spool_.stream()) deadline = std::min(deadline, NextProbe());
    }
    const zmq::socket_ref readable[] = {dealer_->socket(), dealer_->link()};
    io.Wait(readable, deadline);
  }

  void MoveIfAsked() {
    std::optional<std::string> wanted;
    {
      std::lock_guard lock(mutex_);
      wanted.swap(wanted_endpoint_);
    }
    if (!wanted || (dealer_ && dealer_->endpoint() == *wanted)) return;
    dealer_.reset();
    Unsync();
    if (wanted->empty()) return;
    try {
      dealer_ = std::make_unique<Dealer>(sockets_, *wanted);
    } catch (const core::IoError& error) {
      logger_->warn("learner={} cannot be used: {}", *wanted, error.text().why);
    }
  }

  void Unsync() {
    synced_ = false;
    probe_open_ = false;
  }

  void FollowLink() {
    while (const auto event = dealer_->TakeLinkEvent()) {
      const bool connected = *event == Dealer::LinkEvent::kConnected;
      logger_->info("learner={} {}", dealer_->endpoint(), connected ? "connected" : "lost");
      Unsync();
    }
  }

  void ReceiveAcks() {
    for (int i = 0; i < kMaxBurst; ++i) {
      const std::optional<zmq::message_t> message = dealer_->TryReceive();
      if (!message) return;
      try {
        const Frame frame = DecodeFrame(View(*message), session_->run());
        if (frame.header.type != MessageType::kSourceAck) {
          throw core::ProtocolError(
              {.what = "a message was refused",
               .why = "a transition sink takes acknowledgements only.",
               .fix = "connect to the endpoint that was registered for this purpose"});
        }
        TakeAck(DecodeSourceAck(frame.body));
      } catch (const core::ProtocolError& error) {
        rejected_.Add(error);
      }
    }
  }

  void TakeAck(const SourceAck& ack) {
    std::lock_guard lock(mutex_);
    if (spool_.stream() != ack.stream) return;
    heard_at_ = steady_clock::now();
    spool_.OnAck(ack.stored, ack.credits);
    if (probe_open_ && ack.probe == probe_number_) {
      probe_open_ = false;
      // Rows sent before the probe travelled in front of it: what the source had not received by
      // then is lost.
      if (!synced_ || ack.received < sent_before_probe_) {
        if (synced_) rewinds_.Increment();
        spool_.Rewind(ack.received);
      }
      if (!synced_) {
        logger_->info("learner={} has rows up to {} of {}",
                      dealer_->endpoint(),
                      ack.stored.value,
                      spool_.status().pushed.value);
      }
      synced_ = true;
    } else if (ack.gap && !probe_open_) {
      gap_reported_ = true;
    }
    spool_rows_.Set(static_cast<double>(spool_.unacknowledged()));
    changed_.notify_all();
  }

  // When a probe is due if nothing is heard until then. Requires mutex_.
  core::TimePoint NextProbe() const {
    if (!synced_) return probe_open_ ? probed_at_ + options_.probe_after : core::TimePoint::min();
    const bool has_news = gap_reported_ || draining_ != said_draining_;
    if (has_news && !probe_open_) return core::TimePoint::min();
    if (spool_.unacknowledged() == 0) return core::TimePoint::max();
    return std::max({heard_at_, sent_at_, probed_at_}) + options_.probe_after;
  }

  void ProbeIfDue(core::TimePoint now) {
    if (!dealer_->IsConnected()) return;
    SinkProbe probe;
    {
      std::lock_guard lock(mutex_);
      if (!spool_.stream() || now < NextProbe()) return;
      probe = {.stream = *spool_.stream(),
               .number = ++probe_number_,
               .first_held = core::Sequence(spool_.status().acknowledged.value + 1),
               .draining = draining_};
      sent_before_probe_ = spool_.last_sent();
    }
    said_draining_ = probe.draining;
    probed_at_ = now;
    gap_reported_ = false;
    probe_open_ = true;
    if (!dealer_->TrySend(EncodeSinkProbe(*session_, probe)))
      logger_->debug("probe={} was not sent", probe.number);
  }

  void SendBatches() {
    while (synced_) {
      std::shared_ptr<const TransitionBatch> batch;
      {
        std::lock_guard lock(mutex_);
        batch = spool_.TakeNext(steady_clock::now());
      }
      if (!batch) return;
      sent_at_ = steady_clock::now();
      if (!dealer_->TrySend(EncodeTransitions(*session_, *batch))) return Unsync();
    }
  }

  Sockets& sockets_;
  SharedSession session_;
  monitor::Logger logger_;
  const TransitionSinkOptions options_;
  RejectedMessages rejected_;
  monitor::Gauge spool_rows_;
  monitor::Counter rewinds_;

  // I/O thread only.
  std::unique_ptr<Dealer> dealer_;
  bool synced_ = false;      // The source has said what it has received over this connection.
  bool probe_open_ = false;  // Probe probe_number_ is not answered yet.
  bool gap_reported_ = false;
  bool said_draining_ = false;  // By the last probe.
  std::int64_t probe_number_ = 0;
  core::Sequence sent_before_probe_;
  core::TimePoint probed_at_{}, heard_at_{}, sent_at_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  TransitionSpool spool_;  // Guarded by mutex_, as is all below.
  std::optional<SpoolJournal> journal_;
  std::optional<std::string> wanted_endpoint_;
  bool draining_ = false;
  bool closed_ = false;

  IoThread io_;
};

}  // namespace

std::unique_ptr<ZmqTransitionSink> MakeZmqTransitionSink(const ChannelContext& context,
                                                         const TransitionSinkOptions& options) {
  return std::make_unique<Sink>(context, options);
}

}  // namespace londi::transport
