#include "transport/registry_server.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "transport/io_thread.h"
#include "transport/listener.h"
#include "transport/rejected_messages.h"
#include "transport/zmq_socket.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

class Server final : public RegistryServer {
 public:
  Server(const ChannelContext& context, const RegistryOptions& options)
      : session_(context.session),
        rejected_("registry.server", context.metrics, context.logger),
        listener_(context.sockets, zmq::socket_type::router, context.host),
        state_(session_->epoch(), options),
        io_(
            "registry", context.logger, [this](IoThread& io) { Run(io); }, [] {}) {}

  const std::string& endpoint() const override { return listener_.endpoint(); }

  std::vector<MemberStatus> Members() const override {
    io_.ThrowIfFailed();
    std::lock_guard lock(mutex_);
    return state_.Members();
  }

  std::vector<RegistryEvent> TakeEvents() override {
    io_.ThrowIfFailed();
    std::lock_guard lock(mutex_);
    return state_.TakeEvents();
  }

  void SetCommand(Command command, std::optional<Role> role) override {
    std::lock_guard lock(mutex_);
    state_.SetCommand(command, role);
  }

 private:
  void Run(IoThread& io) {
    const zmq::socket_ref readable[] = {listener_.socket()};
    core::TimePoint next_expiry = core::TimePoint::max();
    while (!io.stopping()) {
      io.Wait(readable, next_expiry);
      for (int i = 0; i < kMaxBurst; ++i) {
        const std::optional<RoutedMessage> message = TryReceiveRouted(listener_.socket());
        if (!message) break;
        try {
          Handle(*message);
        } catch (const core::ProtocolError& error) {
          rejected_.Add(error);
        }
      }
      next_expiry = Expire();
      SendNews();
    }
  }

  core::TimePoint Expire() {
    std::lock_guard lock(mutex_);
    state_.Expire(steady_clock::now());
    std::erase_if(peers_, [this](const auto& entry) { return !state_.Has(entry.first); });
    return state_.NextExpiry().value_or(core::TimePoint::max());
  }

  // Members hear of those they watch when these change, and not only when they renew their leases:
  // rows wait in actors until they know where the new learner is.
  void SendNews() {
    std::vector<std::pair<MemberId, Renewed>> all;
    {
      std::lock_guard lock(mutex_);
      all = state_.TakeNews();
    }
    for (const auto& [member, news] : all)
      Answer(peers_.at(member), EncodeRenewed(*session_, news));
  }

  void Handle(const RoutedMessage& message) {
    const Frame frame = DecodeFrame(View(message.body), session_->run());
    switch (frame.header.type) {
      case MessageType::kRegister:
        return Answer(message.peer, Register(DecodeRegister(frame.body)));
      case MessageType::kRenew:
        return Answer(message.peer,
                      Renew(frame.header.epoch, message.peer, DecodeRenew(frame.body)));
      case MessageType::kLeave:
        return Leave(frame.header.epoch, DecodeLeave(frame.body));
      default:
        throw core::ProtocolError(
            {.what = "a message was refused",
             .why = "a registry takes registrations, renewals and farewells only.",
             .fix = "connect to the endpoint that was registered for this purpose"});
    }
  }

  std::string Register(const Registration& registration) {
    std::lock_guard lock(mutex_);
    const auto answer = state_.Register(registration, steady_clock::now());
    if (const auto* refusal = std::get_if<RegistryRefusal>(&answer))
      return EncodeRegistryRefusal(*session_, *refusal);
    return EncodeRegistered(*session_, std::get<Registered>(answer));
  }

  // Seats are numbered within an epoch: an older one's number may be somebody else's today.
  std::string Renew(core::Epoch epoch, const std::string& peer, const Renewal& renewal) {
    std::lock_guard lock(mutex_);
    const bool fenced = epoch != state_.epoch();
    const auto answer =
        state_.Renew(fenced ? Renewal{.member = MemberId(0)} : renewal, steady_clock::now());
    if (const auto* refusal = std::get_if<RegistryRefusal>(&answer))
      return EncodeRegistryRefusal(*session_, *refusal);
    peers_[renewal.member] = peer;
    return EncodeRenewed(*session_, std::get<Renewed>(answer));
  }

  void Leave(core::Epoch epoch, MemberId member) {
    std::lock_guard lock(mutex_);
    if (epoch == state_.epoch()) state_.Leave(member);
  }

  void Answer(const std::string& peer, std::string message) {
    // A member that is gone asks again when it is back.
    [[maybe_unused]] const bool sent = TrySendTo(listener_.socket(), peer, std::move(message));
  }

  SharedSession session_;
  RejectedMessages rejected_;
  Listener listener_;
  std::map<MemberId, std::string> peers_;  // I/O thread only: where a member renewed last.
  mutable std::mutex mutex_;
  RegistryState state_;  // Guarded by mutex_.
  IoThread io_;
};

}  // namespace

std::unique_ptr<RegistryServer> MakeRegistryServer(const ChannelContext& context,
                                                   const RegistryOptions& options) {
  return std::make_unique<Server>(context, options);
}

}  // namespace londi::transport
