#include "transport/zmq_lm_server.h"

#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "transport/codec.h"
#include "transport/listener.h"
#include "transport/rejected_messages.h"
#include "transport/socket_turns.h"
#include "transport/zmq_socket.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

// A request is known by its sender's routing id and the sender's number for it.
using RequestKey = std::pair<std::string, std::uint64_t>;

class Server final : public ZmqLmServer {
 public:
  Server(const ChannelContext& context, const LmServerOptions& options)
      : session_(context.session),
        rejected_("lm", context.metrics, context.logger),
        undeliverable_(context.metrics.GetCounter("londi_lm_replies_undeliverable_total",
                                                  "Answers whose client was gone")),
        listener_(context.sockets, zmq::socket_type::router, context.host),
        queue_(options.max_waiting),
        turns_(
            "lm.server",
            context.logger,
            {&socket_},
            [this] { return Round(); },
            [this] { queue_.Close(); }) {}

  ~Server() override { Close(); }

  const std::string& endpoint() const override { return listener_.endpoint(); }
  std::optional<IncomingLmRequest> Receive(core::TimePoint deadline) override {
    const auto done = [this] { return queue_.NumWaiting() > 0 || queue_.IsClosed(); };
    ++receiving_;
    std::optional<IncomingLmRequest> request;
    do {
      const bool visited = turns_.Visit(deadline, done);
      request = visited ? queue_.TryReceive() : queue_.Receive(deadline);
    } while (!request && !queue_.IsClosed() && steady_clock::now() < deadline);
    --receiving_;
    SendPosted();
    return request;
  }
  void Reply(Ticket ticket, const core::Proposal& proposal) override {
    queue_.Reply(ticket, proposal);
    SendPosted();
  }
  void Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) override {
    queue_.Refuse(ticket, reason, retry);
    SendPosted();
  }
  std::size_t NumWaiting() const override { return queue_.NumWaiting(); }
  void Close() override {
    queue_.Close();
    turns_.RequestRound();
  }
  bool IsClosed() const override { return queue_.IsClosed(); }

 private:
  SocketTurns::Outlook Round() {
    SendOutcomes();
    for (int i = 0; i < kMaxBurst && socket_.may_have_input; ++i) {
      const std::optional<RoutedMessage> message = TryReceiveRouted(listener_.socket());
      socket_.may_have_input = message.has_value();
      if (!message) break;
      try {
        Handle(*message);
      } catch (const core::ProtocolError& error) {
        rejected_.Add(error);
      }
    }
    SendOutcomes();  // Refusals of what came.
    return {.again = core::TimePoint::max(),
            .waiting = receiving_ - static_cast<int>(queue_.NumWaiting())};
  }

  void Handle(const RoutedMessage& message) {
    const Frame frame = DecodeFrame(View(message.body), session_->run());
    if (frame.header.type == MessageType::kLmRequest) {
      TakeRequest(message.peer, DecodeLmRequest(frame.body, steady_clock::now()));
    } else if (frame.header.type == MessageType::kLmCancel) {
      Cancel({message.peer, DecodeLmCancel(frame.body)});
    } else {
      throw core::ProtocolError(
          {.what = "a message was refused",
           .why = "an LM server takes requests and cancellations only.",
           .fix = "connect to the endpoint that was registered for this purpose"});
    }
  }

  void TakeRequest(const std::string& peer, LmRequestMessage message) {
    RequestKey key{peer, message.request_id};
    if (open_.count(key) > 0) return;  // Sent twice: the first is still being worked on.
    const Ticket ticket = queue_.Submit(std::move(message.request), [this, key](LmOutcome outcome) {
      PostOutcome(key, std::move(outcome));
    });
    open_.emplace(std::move(key), ticket);
  }

  void Cancel(const RequestKey& key) {
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    queue_.Cancel(found->second);
    open_.erase(found);
  }

  // Any thread; sent by the next round.
  void PostOutcome(const RequestKey& key, LmOutcome outcome) {
    std::lock_guard lock(mutex_);
    outcomes_.emplace_back(key, std::move(outcome));
  }

  void SendPosted() {
    {
      std::lock_guard lock(mutex_);
      if (outcomes_.empty()) return;
    }
    if (!turns_.Visit(core::TimePoint{}, [] { return true; })) turns_.RequestRound();
  }

  void SendOutcomes() {
    std::vector<std::pair<RequestKey, LmOutcome>> outcomes;
    {
      std::lock_guard lock(mutex_);
      outcomes.swap(outcomes_);
    }
    for (const auto& [key, outcome] : outcomes) {
      open_.erase(key);
      const std::string message = EncodeOrRefuse(key.second, outcome);
      if (!TrySendTo(listener_.socket(), key.first, message)) undeliverable_.Increment();
      socket_.may_have_input = true;
    }
  }

  // An answer that the protocol cannot carry becomes a refusal that says so.
  std::string EncodeOrRefuse(std::uint64_t request_id, const LmOutcome& outcome) {
    try {
      return EncodeLmOutcome(*session_, request_id, outcome);
    } catch (const core::ProtocolError& error) {
      return EncodeLmOutcome(*session_, request_id, LmRefusal{error.text(), Retry::kNever});
    }
  }

  SharedSession session_;
  RejectedMessages rejected_;
  monitor::Counter undeliverable_;
  Listener listener_;
  WatchedSocket socket_{listener_.socket()};
  std::map<RequestKey, Ticket> open_;  // Of who is at the sockets.
  std::atomic<int> receiving_ = 0;     // Threads within Receive.
  std::mutex mutex_;
  std::vector<std::pair<RequestKey, LmOutcome>> outcomes_;  // Guarded by mutex_.
  LmRequestQueue queue_;
  SocketTurns turns_;
};

}  // namespace

std::unique_ptr<ZmqLmServer> MakeZmqLmServer(const ChannelContext& context,
                                             const LmServerOptions& options) {
  return std::make_unique<Server>(context, options);
}

}  // namespace londi::transport
