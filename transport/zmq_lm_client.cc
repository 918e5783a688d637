#include "transport/zmq_lm_client.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "transport/codec.h"
#include "transport/dealer.h"
#include "transport/lm_call.h"
#include "transport/rejected_messages.h"
#include "transport/socket_turns.h"

namespace londi::transport {
namespace {

using std::chrono::steady_clock;

double EstimateWork(const core::LmRequest& request) {
  double bytes = static_cast<double>(request.prompt.size());
  for (const std::string& candidate : request.candidates)
    bytes += static_cast<double>(candidate.size());
  return bytes + 1;
}

core::ErrorText MayHaveBeenSpent() {
  return {.what = "a worker was lost while it had a budgeted request",
          .why = "what it has spent on it is not known, and a second worker would spend it again",
          .fix = "nothing to do: the episode ends here, and its budget with it"};
}

// One Propose call. The request belongs to the caller's stack: copied, because the call may outlive
// the caller's wait.
struct Call {
  core::LmRequest request;
  LmCall result;
};
using CallPtr = std::shared_ptr<Call>;

struct Worker {
  Worker(Sockets& sockets, const std::string& endpoint) : dealer(sockets, endpoint) {}

  Dealer dealer;
  WatchedSocket messages{dealer.socket()};
  WatchedSocket link{dealer.link()};
};

class Client final : public ZmqLmClient {
 public:
  Client(const ChannelContext& context, core::Tier tier, const LmDispatcherOptions& options)
      : sockets_(context.sockets),
        session_(context.session),
        logger_(context.logger),
        tier_(tier),
        rejected_(
            std::string("lm.client.") + core::TierName(tier), context.metrics, context.logger),
        retries_(context.metrics.GetCounter("londi_lm_retries_total",
                                            "LM requests sent to another worker",
                                            {{"tier", core::TierName(tier)}})),
        reachable_(context.metrics.GetGauge("londi_lm_workers_reachable",
                                            "Workers with a connection",
                                            {{"tier", core::TierName(tier)}})),
        dispatcher_(options),
        turns_(
            std::string("lm.") + core::TierName(tier),
            context.logger,
            {},
            [this] { return Round(); },
            [this] { Close(); }) {}

  ~Client() override { Close(); }

  core::Proposal Propose(const core::LmRequest& request) override {
    const auto call = std::make_shared<Call>();
    call->request = request;
    std::uint64_t id = 0;
    {
      std::lock_guard lock(mutex_);
      if (closed_) return ProposalOrThrow(LmClientClosed());
      id = ++last_id_;
      open_.emplace(id, call);
      arrived_.push_back(id);
    }
    const bool is_settled = turns_.Visit(request.deadline, [&] { return calls_.count(id) == 0; });
    if (!is_settled) turns_.RequestRound();
    std::optional<LmOutcome> outcome =
        call->result.WaitUntil(is_settled ? core::TimePoint{} : request.deadline);
    if (outcome) return ProposalOrThrow(std::move(*outcome));
    {
      std::lock_guard lock(mutex_);
      open_.erase(id);
      given_up_.push_back(id);
    }
    turns_.RequestRound();
    ThrowLmDeadline(static_cast<std::size_t>(reachable_.value()));
  }

  void SetWorkers(const std::vector<std::string>& endpoints) override {
    {
      std::lock_guard lock(mutex_);
      wanted_workers_ = endpoints;
    }
    turns_.RequestRound();
  }

  void Close() override {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      for (const auto& [id, call] : open_) {
        call->result.Settle(LmClientClosed());
        given_up_.push_back(id);
      }
      open_.clear();
    }
    turns_.RequestRound();
  }

 private:
  SocketTurns::Outlook Round() {
    TakeOrders();
    SendWaiting();
    for (auto& [endpoint, worker] : workers_) {
      ReceiveFrom(endpoint, *worker);
      FollowLink(endpoint, *worker);
    }
    SendWaiting();  // What was refused, or has a worker now.
    reachable_.Set(static_cast<double>(dispatcher_.NumReachable()));
    return {.again = dispatcher_.NextRetry().value_or(core::TimePoint::max()),
            .waiting = static_cast<int>(calls_.size())};
  }

  // What other threads asked for since the last round.
  void TakeOrders() {
    std::vector<std::pair<std::uint64_t, CallPtr>> arrived;
    std::vector<std::uint64_t> given_up;
    std::optional<std::vector<std::string>> wanted_workers;
    {
      std::lock_guard lock(mutex_);
      for (const std::uint64_t id : arrived_) {
        if (const auto found = open_.find(id); found != open_.end()) arrived.emplace_back(*found);
      }
      arrived_.clear();
      given_up.swap(given_up_);
      wanted_workers.swap(wanted_workers_);
    }
    if (wanted_workers) ReplaceWorkers(*wanted_workers);
    for (auto& [id, call] : arrived) {
      dispatcher_.Add(id, EstimateWork(call->request));
      calls_.emplace(id, std::move(call));
    }
    for (const std::uint64_t id : given_up) GiveUp(id);
  }

  void ReplaceWorkers(const std::vector<std::string>& wanted) {
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      if (std::find(wanted.begin(), wanted.end(), worker->first) != wanted.end()) {
        ++worker;
        continue;
      }
      logger_->info("tier={} worker={} left", core::TierName(tier_), worker->first);
      Lose(worker->first);
      worker = workers_.erase(worker);
    }
    for (const std::string& endpoint : wanted) {
      if (workers_.count(endpoint) > 0) continue;
      try {
        workers_.emplace(endpoint, std::make_unique<Worker>(sockets_, endpoint));
      } catch (const core::IoError& error) {
        logger_->warn("tier={} worker={} cannot be used: {}",
                      core::TierName(tier_),
                      endpoint,
                      error.text().why);
      }
    }
    std::vector<WatchedSocket*> sockets;
    for (const auto& [endpoint, worker] : workers_) {
      sockets.push_back(&worker->messages);
      sockets.push_back(&worker->link);
    }
    turns_.SetSockets(std::move(sockets));
  }

  void FollowLink(const std::string& endpoint, Worker& worker) {
    if (!worker.link.may_have_input) return;
    while (const auto event = worker.dealer.TakeLinkEvent()) {
      const bool connected = *event == Dealer::LinkEvent::kConnected;
      logger_->info("tier={} worker={} {}",
                    core::TierName(tier_),
                    endpoint,
                    connected ? "connected" : "lost");
      if (connected) {
        dispatcher_.SetReachable(endpoint, true);
      } else {
        Lose(endpoint);
      }
    }
    worker.link.may_have_input = false;
  }

  // Its requests go to other workers, but for those with a limit: it may have spent that on them.
  void Lose(const std::string& endpoint) {
    for (const LmDispatcher::CallId id : dispatcher_.CallsOf(endpoint)) {
      if (calls_.at(id)->request.is_limited())
        Fail(id, MayHaveBeenSpent(), Retry::kIfUnlimited);
    }
    dispatcher_.Remove(endpoint);
  }

  void ReceiveFrom(const std::string& endpoint, Worker& worker) {
    for (int i = 0; i < kMaxBurst && worker.messages.may_have_input; ++i) {
      const std::optional<zmq::message_t> message = worker.dealer.TryReceive();
      worker.messages.may_have_input = message.has_value();
      if (!message) break;
      try {
        const Frame frame = DecodeFrame(View(*message), session_->run());
        TakeOutcome(endpoint, DecodeLmOutcome(frame.header.type, frame.body));
      } catch (const core::ProtocolError& error) {
        rejected_.Add(error);
      }
    }
  }

  void TakeOutcome(const std::string& endpoint, LmOutcomeMessage message) {
    const auto found = calls_.find(message.request_id);
    if (found == calls_.end()) return;  // Given up, or answered by another worker already.
    const auto* refusal = std::get_if<LmRefusal>(&message.outcome);
    const bool may_retry =
        refusal != nullptr &&
        (refusal->retry == Retry::kElsewhere ||
         (refusal->retry == Retry::kIfUnlimited && !found->second->request.is_limited()));
    if (may_retry) {
      retries_.Increment();
      dispatcher_.Refused(message.request_id, endpoint, steady_clock::now());
      return;
    }
    const auto* proposal = std::get_if<core::Proposal>(&message.outcome);
    if (proposal != nullptr &&
        proposal->log_probs.size() != found->second->request.candidates.size()) {
      throw core::ProtocolError({.what = "a reply was refused",
                                 .why = "it scores another number of candidates than were offered.",
                                 .fix = "run one londi version everywhere"});
    }
    const CallPtr call = std::move(found->second);
    calls_.erase(found);
    // A slow first worker may answer after a second one got the request: that one can stop.
    if (const auto worker = dispatcher_.Finish(message.request_id); worker && *worker != endpoint) {
      SendCancel(*worker, message.request_id);
    }
    {
      std::lock_guard lock(mutex_);
      open_.erase(message.request_id);
    }
    call->result.Settle(std::move(message.outcome));
  }

  void GiveUp(std::uint64_t id) {
    if (calls_.erase(id) == 0) return;
    if (const auto worker = dispatcher_.Finish(id)) SendCancel(*worker, id);
  }

  void SendCancel(const std::string& endpoint, std::uint64_t id) {
    // Best effort: a worker that does not hear of it does work for nothing.
    [[maybe_unused]] const bool sent = SendTo(endpoint, EncodeLmCancel(*session_, id));
  }

  [[nodiscard]] bool SendTo(const std::string& endpoint, std::string message) {
    Worker& worker = *workers_.at(endpoint);
    worker.messages.may_have_input = true;
    return worker.dealer.TrySend(std::move(message));
  }

  void SendWaiting() {
    while (const auto next = dispatcher_.Next(steady_clock::now())) {
      const CallPtr& call = calls_.at(next->call);
      try {
        std::string message =
            EncodeLmRequest(*session_, next->call, call->request, steady_clock::now());
        if (!SendTo(next->worker, std::move(message))) {
          dispatcher_.Refused(next->call, next->worker, steady_clock::now());
        }
      } catch (const core::ProtocolError& error) {
        Fail(next->call, error.text(), Retry::kNever);
      }
    }
  }

  // As if it had been refused.
  void Fail(std::uint64_t id, const core::ErrorText& reason, Retry retry) {
    const CallPtr call = calls_.at(id);
    calls_.erase(id);
    dispatcher_.Finish(id);
    {
      std::lock_guard lock(mutex_);
      open_.erase(id);
    }
    call->result.Settle(LmRefusal{reason, retry});
  }

  Sockets& sockets_;
  SharedSession session_;
  monitor::Logger logger_;
  const core::Tier tier_;
  RejectedMessages rejected_;
  monitor::Counter retries_;
  monitor::Gauge reachable_;

  // Of who is at the sockets.
  LmDispatcher dispatcher_;
  std::map<std::string, std::unique_ptr<Worker>> workers_;
  std::unordered_map<std::uint64_t, CallPtr> calls_;

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, CallPtr>
      open_;  // Callers that wait. Guarded by mutex_, as is all below.
  std::vector<std::uint64_t> arrived_;
  std::vector<std::uint64_t> given_up_;
  std::optional<std::vector<std::string>> wanted_workers_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;

  SocketTurns turns_;
};

}  // namespace

std::unique_ptr<ZmqLmClient> MakeZmqLmClient(const ChannelContext& context,
                                             core::Tier tier,
                                             const LmDispatcherOptions& options) {
  return std::make_unique<Client>(context, tier, options);
}

}  // namespace londi::transport
