#include <mutex>
#include <utility>

#include "transport/codec.h"
#include "transport/dealer.h"
#include "transport/io_thread.h"
#include "transport/rejected_messages.h"
#include "transport/weights_slot.h"
#include "transport/zmq_weights.h"

namespace londi::transport {
namespace {

// Orders weights across restarts of the learner.
using Freshness = std::pair<core::Incarnation, core::WeightsVersion>;

class Subscriber final : public ZmqWeightsSubscriber {
 public:
  Subscriber(const ChannelContext& context, const WeightsSubscriberOptions& options)
      : sockets_(context.sockets),
        session_(context.session),
        logger_(context.logger),
        options_(options),
        rejected_("weights.subscriber", context.metrics, context.logger),
        version_(
            context.metrics.GetGauge("londi_weights_version", "Version of the weights in use")),
        io_(
            "weights.sub", context.logger, [this](IoThread& io) { Run(io); }, [this] { Close(); }) {
  }

  ~Subscriber() override { Close(); }

  void SetEndpoints(const std::string& announce, const std::string& pull) override {
    {
      std::lock_guard lock(mutex_);
      wanted_ = {announce, pull};
    }
    io_.Wake();
  }

  std::shared_ptr<const core::WeightsSnapshot> Latest() const override { return slot_.Latest(); }
  std::shared_ptr<const core::WeightsSnapshot> WaitForFirst(core::TimePoint deadline) override {
    return slot_.WaitForFirst(deadline);
  }
  void Close() override { slot_.Close(); }

 private:
  struct Endpoints {
    std::string announce, pull;
    friend bool operator==(const Endpoints&, const Endpoints&) = default;
  };

  void Run(IoThread& io) {
    while (!io.stopping()) {
      Wait(io);
      MoveIfAsked();
      if (!puller_) continue;
      FollowLink();
      while (const std::optional<zmq::message_t> message = TryReceive(announcements_))
        Handle(*message);
      while (const std::optional<zmq::message_t> message = puller_->TryReceive()) Handle(*message);
      PullIfNeeded(std::chrono::steady_clock::now());
    }
  }

  void Wait(IoThread& io) {
    if (!puller_) return io.Wait({}, core::TimePoint::max());
    const zmq::socket_ref readable[] = {announcements_, puller_->socket(), puller_->link()};
    const bool waiting = pull_open_ && puller_->IsConnected();
    io.Wait(readable, waiting ? pulled_at_ + options_.pull_again_after : core::TimePoint::max());
  }

  void MoveIfAsked() {
    std::optional<Endpoints> wanted;
    {
      std::lock_guard lock(mutex_);
      wanted.swap(wanted_);
    }
    if (!wanted || wanted == current_) return;
    puller_.reset();
    announcements_.close();
    current_ = *wanted;
    try {
      announcements_ =
          MakeSocket(sockets_, zmq::socket_type::sub, SocketEnd::kConnects, {.conflate = true});
      announcements_.set(zmq::sockopt::subscribe, "");
      Connect(announcements_, wanted->announce);
      puller_ = std::make_unique<Dealer>(sockets_, wanted->pull);
    } catch (const core::IoError& error) {
      logger_->warn("learner={} cannot be used: {}", wanted->pull, error.text().why);
    }
  }

  void FollowLink() {
    while (const auto event = puller_->TakeLinkEvent()) {
      const bool connected = *event == Dealer::LinkEvent::kConnected;
      logger_->debug(
          "learner={} weights {}", puller_->endpoint(), connected ? "connected" : "lost");
      pull_open_ = false;
      pull_needed_ = connected;  // What was announced meanwhile was missed.
    }
  }

  void Handle(const zmq::message_t& message) {
    try {
      const Frame frame = DecodeFrame(View(message), session_->run());
      switch (frame.header.type) {
        case MessageType::kWeightsAnnouncement:
          return TakeAnnouncement(frame);
        case MessageType::kWeights:
          return TakeWeights(frame);
        case MessageType::kWeightsNone:
          pull_open_ = pull_needed_ = false;
          return;
        default:
          throw core::ProtocolError(
              {.what = "a message was refused",
               .why = "a weights subscriber takes announcements and weights only.",
               .fix = "connect to the endpoint that was registered for this purpose"});
      }
    } catch (const core::ProtocolError& error) {
      rejected_.Add(error);
    }
  }

  bool IsFenced(const Frame& frame) const { return frame.header.epoch < session_->epoch(); }

  void TakeAnnouncement(const Frame& frame) {
    const WeightsAnnouncement announcement = DecodeWeightsAnnouncement(frame.body);
    const Freshness fresh{frame.header.incarnation, announcement.version};
    if (IsFenced(frame) || fresh <= have_) return;
    announced_ = fresh;
    announced_hash_ = announcement.hash;
    pull_needed_ = true;
  }

  void TakeWeights(const Frame& frame) {
    pull_open_ = pull_needed_ = false;
    if (IsFenced(frame)) return;  // Its next announcement under the new epoch brings us back.
    auto weights = std::make_shared<core::WeightsSnapshot>(DecodeWeights(frame.body));
    const Freshness fresh{frame.header.incarnation, weights->version};
    if (fresh == announced_ && ContentHash(frame.body) != announced_hash_) {
      throw core::ProtocolError(
          {.what = "weights were refused",
           .why = "they are not the ones that were announced under this version.",
           .fix = "run one learner per run"});
    }
    pull_needed_ = announced_ > fresh;
    if (fresh <= have_) return;
    have_ = fresh;
    version_.Set(static_cast<double>(weights->version.value));
    slot_.Store(std::move(weights));
  }

  void PullIfNeeded(core::TimePoint now) {
    if (!pull_needed_ || !puller_->IsConnected()) return;
    if (pull_open_ && now < pulled_at_ + options_.pull_again_after) return;
    pulled_at_ = now;
    pull_open_ = true;
    if (!puller_->TrySend(EncodeEmpty(*session_, MessageType::kWeightsPull)))
      logger_->debug("a pull was not sent");
  }

  Sockets& sockets_;
  SharedSession session_;
  monitor::Logger logger_;
  const WeightsSubscriberOptions options_;
  RejectedMessages rejected_;
  monitor::Gauge version_;
  WeightsSlot slot_;

  // I/O thread only.
  Endpoints current_;
  zmq::socket_t announcements_;
  std::unique_ptr<Dealer> puller_;
  Freshness have_{core::Incarnation(-1), core::WeightsVersion(-1)};  // Below everything.
  Freshness announced_ = have_;
  std::uint64_t announced_hash_ = 0;
  bool pull_needed_ = false;
  bool pull_open_ = false;  // A pull is not answered yet.
  core::TimePoint pulled_at_{};

  std::mutex mutex_;
  std::optional<Endpoints> wanted_;  // Guarded by mutex_.
  IoThread io_;
};

}  // namespace

std::unique_ptr<ZmqWeightsSubscriber> MakeZmqWeightsSubscriber(
    const ChannelContext& context, const WeightsSubscriberOptions& options) {
  return std::make_unique<Subscriber>(context, options);
}

}  // namespace londi::transport
