#include <mutex>
#include <utility>

#include "transport/codec.h"
#include "transport/io_thread.h"
#include "transport/listener.h"
#include "transport/rejected_messages.h"
#include "transport/weights_slot.h"
#include "transport/zmq_socket.h"
#include "transport/zmq_weights.h"

namespace londi::transport {
namespace {

// Weights as they are sent; the header is written anew for each receiver, because the epoch may
// have risen.
struct Published {
  core::WeightsVersion version;
  std::uint64_t hash = 0;
  std::string message;
};

class Publisher final : public ZmqWeightsPublisher {
 public:
  Publisher(const ChannelContext& context, const WeightsPublisherOptions& options)
      : session_(context.session),
        options_(options),
        rejected_("weights.publisher", context.metrics, context.logger),
        announcer_(context.sockets, zmq::socket_type::pub, context.host),
        pulls_(context.sockets, zmq::socket_type::router, context.host),
        io_(
            "weights.pub", context.logger, [this](IoThread& io) { Run(io); }, [] {}) {}

  const std::string& announce_endpoint() const override { return announcer_.endpoint(); }
  const std::string& pull_endpoint() const override { return pulls_.endpoint(); }

  void Publish(std::shared_ptr<const core::WeightsSnapshot> weights) override {
    io_.ThrowIfFailed();
    RequireNewerVersion(last_.Latest().get(), *weights);
    auto published = std::make_shared<Published>();
    published->version = weights->version;
    published->message = EncodeWeights(*session_, *weights);
    published->hash = ContentHash(std::string_view(published->message).substr(kFrameHeaderBytes));
    last_.Store(std::move(weights));
    {
      std::lock_guard lock(mutex_);
      published_ = std::move(published);
      announced_ = false;
    }
    io_.Wake();
  }

 private:
  void Run(IoThread& io) {
    const zmq::socket_ref readable[] = {pulls_.socket()};
    core::TimePoint announce_at = core::TimePoint::max();
    while (!io.stopping()) {
      io.Wait(readable, announce_at);
      const core::TimePoint now = std::chrono::steady_clock::now();
      if (TakeNew() || now >= announce_at) {
        Announce();
        announce_at = now + options_.announce_every;
      }
      AnswerPulls();
    }
  }

  bool TakeNew() {
    std::lock_guard lock(mutex_);
    current_ = published_;
    return current_ && !std::exchange(announced_, true);
  }

  void Announce() {
    const WeightsAnnouncement announcement{.version = current_->version,
                                           .hash = current_->hash,
                                           .bytes = std::ssize(current_->message)};
    // A PUB socket takes every message; who is too slow hears of the next one.
    [[maybe_unused]] const bool sent =
        TrySend(announcer_.socket(), EncodeWeightsAnnouncement(*session_, announcement));
  }

  void AnswerPulls() {
    for (int i = 0; i < kMaxBurst; ++i) {
      const std::optional<RoutedMessage> message = TryReceiveRouted(pulls_.socket());
      if (!message) return;
      try {
        const Frame frame = DecodeFrame(View(message->body), session_->run());
        if (frame.header.type != MessageType::kWeightsPull) {
          throw core::ProtocolError(
              {.what = "a message was refused",
               .why = "a weights publisher takes pulls only.",
               .fix = "connect to the endpoint that was registered for this purpose"});
        }
        // A subscriber that is gone pulls again when it is back.
        [[maybe_unused]] const bool sent = TrySendTo(pulls_.socket(), message->peer, Payload());
      } catch (const core::ProtocolError& error) {
        rejected_.Add(error);
      }
    }
  }

  std::string Payload() const {
    if (!current_) return EncodeEmpty(*session_, MessageType::kWeightsNone);
    std::string message = current_->message;
    FinishFrame(MessageType::kWeights, *session_, message);
    return message;
  }

  SharedSession session_;
  const WeightsPublisherOptions options_;
  RejectedMessages rejected_;
  Listener announcer_;
  Listener pulls_;
  WeightsSlot last_;
  std::shared_ptr<const Published> current_;  // I/O thread only.

  std::mutex mutex_;
  std::shared_ptr<const Published> published_;  // Guarded by mutex_, as is announced_.
  bool announced_ = true;

  IoThread io_;
};

}  // namespace

std::unique_ptr<ZmqWeightsPublisher> MakeZmqWeightsPublisher(
    const ChannelContext& context, const WeightsPublisherOptions& options) {
  return std::make_unique<Publisher>(context, options);
}

}  // namespace londi::transport
