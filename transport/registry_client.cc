#include "transport/registry_client.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

#include "core/error.h"
#include "transport/codec_registry.h"
#include "transport/dealer.h"
#include "transport/io_thread.h"
#include "transport/rejected_messages.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

std::uint64_t RandomNonce() {
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32) | entropy() | 1;
}

class Client final : public RegistryClient {
 public:
  Client(const RegistryClientContext& context,
         Registration registration,
         const RegistryClientOptions& options)
      : context_(context),
        options_(options),
        rejected_("registry.client", context.metrics, context.logger),
        registration_(std::move(registration)),
        io_(
            "registry.member",
            context.logger,
            [this](IoThread& io) { Run(io); },
            [this] { Stop(); }) {}

  void WaitUntilJoined(core::TimePoint deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(
        lock, deadline, [&] { return session_ != nullptr || refusal_.has_value(); });
    if (refusal_) throw core::ConfigError(*refusal_);
    if (session_) return;
    throw core::UnavailableError(
        {.what = registration_.name + " could not join the run",
         .why = "the coordinator did not answer in time.",
         .fix = "start the coordinator of this run folder, or look at its log"});
  }

  const SharedSession& session() const override { return session_; }  // Constant once joined.
  core::ActorId actor() const override { return registration_.actor.value_or(core::ActorId(0)); }

  void Announce(const std::map<std::string, std::string>& endpoints) override {
    {
      std::lock_guard lock(mutex_);
      endpoints_ = endpoints;
      announce_ = true;
    }
    io_.Wake();
  }

  void Report(const ProgressCounters& progress) override {
    std::lock_guard lock(mutex_);
    progress_ = progress;
    reported_ = true;
  }

  Command command() const override {
    std::lock_guard lock(mutex_);
    return command_;
  }

  std::vector<Member> Members(Role role) const override {
    std::lock_guard lock(mutex_);
    return MembersOf(role);
  }

  std::int64_t members_version() const override {
    std::lock_guard lock(mutex_);
    return members_version_;
  }

  bool WaitForMembers(Role role,
                      core::TimePoint deadline,
                      const std::function<bool(const std::vector<Member>&)>& ready) override {
    std::unique_lock lock(mutex_);
    while (command_ == Command::kNone) {
      if (ready(MembersOf(role))) return true;
      const core::TimePoint now = steady_clock::now();
      if (now >= deadline) return false;
      reported_ = true;
      changed_.wait_until(lock, std::min(deadline, now + options_.renew_every));
    }
    return false;
  }

  void Leave() override {
    std::unique_lock lock(mutex_);
    leaving_ = true;
    io_.Wake();
    changed_.wait_for(lock, std::chrono::seconds(1), [&] { return left_; });
  }

 private:
  void Run(IoThread& io) {
    while (!io.stopping()) {
      Wait(io);
      if (dealer_) {
        while (dealer_->TakeLinkEvent()) {
        }
        while (const std::optional<zmq::message_t> message = dealer_->TryReceive())
          Handle(*message);
      }
      Act(steady_clock::now());
    }
  }

  void Wait(IoThread& io) {
    if (!dealer_) return io.Wait({}, act_at_);
    const zmq::socket_ref readable[] = {dealer_->socket(), dealer_->link()};
    io.Wait(readable, act_at_);
  }

  void Act(core::TimePoint now) {
    if (finished_) return;
    std::unique_lock lock(mutex_);
    if (leaving_) {
      lock.unlock();
      return SayGoodbye();
    }
    const bool announce = std::exchange(announce_, false);
    const bool due = now >= act_at_;
    lock.unlock();
    if (due) act_at_ = now + options_.renew_every;
    if (due && (!dealer_ || unanswered_ >= options_.lost_after)) Locate();
    if (!dealer_) return;
    if (!registered_ || announce) {
      if (due || announce || !register_sent_) SendRegister();
    } else if (due) {
      SendRenewal();
    }
  }

  // Best effort: without it the lease runs out.
  void SayGoodbye() {
    bool sent = false;
    if (dealer_ && registered_) {
      SendRenewal();
      sent = dealer_->TrySend(EncodeLeave(*wire_, member_));
    }
    context_.logger->debug("left the run, said so={}", sent);
    std::lock_guard lock(mutex_);
    left_ = true;
    Finish();
    changed_.notify_all();
  }

  void Finish() {
    finished_ = true;
    act_at_ = core::TimePoint::max();
  }

  void Locate() {
    const std::optional<Rendezvous> found = context_.locate();
    if (!found) return;
    if (wire_ && wire_->run() != found->run) {
      context_.logger->warn("the coordinator found is of another run: {}", found->endpoint);
      return;
    }
    if (!wire_) wire_ = std::make_shared<Session>(found->run, found->epoch, core::Incarnation(0));
    unanswered_ = 0;
    if (dealer_ && dealer_->endpoint() == found->endpoint) return;
    try {
      dealer_ = std::make_unique<Dealer>(context_.sockets, found->endpoint);
      register_sent_ = false;
      context_.logger->info("coordinator={} epoch={} found", found->endpoint, found->epoch.value);
    } catch (const core::IoError& error) {
      context_.logger->warn("coordinator={} cannot be used: {}", found->endpoint, error.text().why);
    }
  }

  void SendRegister() {
    {
      std::lock_guard lock(mutex_);
      registration_.endpoints = endpoints_;
    }
    if (!dealer_->TrySend(EncodeRegister(*wire_, registration_))) {  // Not connected yet.
      std::lock_guard lock(mutex_);
      announce_ = announce_ || registered_;
      ++unanswered_;
      return;
    }
    register_sent_ = true;
    ++unanswered_;
  }

  void SendRenewal() {
    Renewal renewal{
        .member = member_, .watched = options_.watched, .members_version = wanted_version_};
    {
      std::lock_guard lock(mutex_);
      if (!std::exchange(reported_, false)) return;
      renewal.progress = progress_;
    }
    ++unanswered_;
    if (!dealer_->TrySend(EncodeRenew(*wire_, renewal)))
      context_.logger->debug("a renewal was not sent");
  }

  void Handle(const zmq::message_t& message) {
    try {
      const Frame frame = DecodeFrame(View(message), wire_->run());
      if (frame.header.epoch < wire_->epoch()) return;  // A coordinator of the past.
      unanswered_ = 0;
      switch (frame.header.type) {
        case MessageType::kRegistered:
          return TakeRegistered(frame.header.epoch, DecodeRegistered(frame.body));
        case MessageType::kRenewed:
          return TakeRenewed(DecodeRenewed(frame.body));
        case MessageType::kRegistryRefusal:
          return TakeRefusal(DecodeRegistryRefusal(frame.body));
        default:
          throw core::ProtocolError({.what = "a message was refused",
                                     .why = "a member takes the registry's answers only.",
                                     .fix = "connect to the endpoint of rendezvous.json"});
      }
    } catch (const core::ProtocolError& error) {
      rejected_.Add(error);
    }
  }

  void TakeRegistered(core::Epoch epoch, const Registered& registered) {
    if (registered.nonce != registration_.nonce) return;
    std::lock_guard lock(mutex_);
    const bool rejoined = epoch > wire_->epoch();
    registration_.incarnation = registered.incarnation;
    if (!session_) {
      if (registration_.role == Role::kActor) registration_.actor = registered.actor;
      session_ = std::make_shared<Session>(wire_->run(), epoch, registered.incarnation);
      wire_ = session_;
    }
    session_->RaiseEpoch(epoch);
    if (rejoined) context_.logger->info("epoch={} registered again", epoch.value);
    if (member_ != registered.member) wanted_version_ = 0;
    member_ = registered.member;
    registered_ = true;
    changed_.notify_all();
  }

  void TakeRenewed(Renewed renewed) {
    std::unique_lock lock(mutex_);
    const bool is_news = renewed.has_members || renewed.command > command_;
    command_ = std::max(command_, renewed.command);
    wanted_version_ = renewed.members_version;
    if (renewed.has_members) {
      members_ = std::move(renewed.members);
      ++members_version_;
    }
    changed_.notify_all();
    lock.unlock();
    if (is_news && options_.on_change) options_.on_change();
  }

  void TakeRefusal(const RegistryRefusal& refusal) {
    registered_ = false;
    if (refusal.kind == RegistryRefusal::Kind::kUnknown) {
      register_sent_ = false;
      return;
    }
    context_.logger->error("{}: {}", refusal.reason.what, refusal.reason.why);
    Finish();
    std::lock_guard lock(mutex_);
    refusal_ = refusal.reason;
    command_ = Command::kStop;
    changed_.notify_all();
  }

  // The thread failed: the process must not go on without a lease.
  void Stop() {
    std::lock_guard lock(mutex_);
    command_ = Command::kStop;
    left_ = true;
    changed_.notify_all();
  }

  std::vector<Member> MembersOf(Role role) const {  // Requires mutex_.
    std::vector<Member> members;
    for (const Member& member : members_) {
      if (member.registration.role == role) members.push_back(member);
    }
    return members;
  }

  const RegistryClientContext context_;
  const RegistryClientOptions options_;
  RejectedMessages rejected_;

  // I/O thread only (registration_.actor and session_ are constant once joined).
  Registration registration_;
  SharedSession wire_;  // What headers are written from; session_ once joined.
  std::unique_ptr<Dealer> dealer_;
  MemberId member_;
  bool registered_ = false;     // Under the current epoch, as far as we know.
  bool register_sent_ = false;  // Over the current connection.
  bool finished_ = false;
  int unanswered_ = 0;
  std::int64_t wanted_version_ = 0;
  core::TimePoint act_at_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SharedSession session_;  // Guarded by mutex_ until joined; all below is guarded by it always.
  std::optional<core::ErrorText> refusal_;
  std::map<std::string, std::string> endpoints_;
  bool announce_ = false;
  ProgressCounters progress_;
  bool reported_ = false;
  Command command_ = Command::kNone;
  std::vector<Member> members_;
  std::int64_t members_version_ = 0;
  bool leaving_ = false;
  bool left_ = false;

  IoThread io_;
};

}  // namespace

std::unique_ptr<RegistryClient> JoinRegistry(const RegistryClientContext& context,
                                             Registration registration,
                                             const RegistryClientOptions& options,
                                             core::TimePoint deadline) {
  registration.nonce = RandomNonce();
  auto client = std::make_unique<Client>(context, std::move(registration), options);
  client->WaitUntilJoined(deadline);
  return client;
}

}  // namespace londi::transport
