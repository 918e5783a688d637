#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/transport_support.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_lm_server.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::In;
using testing::Soon;

// A worker that answers with `action`, until it is stopped or destroyed.
class Worker {
 public:
  explicit Worker(std::size_t action = 1)
      : server_(MakeZmqLmServer(process_.context())), thread_([this, action] {
          while (const auto incoming = server_->Receive(core::TimePoint::max())) {
            ++answered_;  // Before the caller knows.
            server_->Reply(incoming->ticket,
                           testing::MakeProposal(incoming->request.candidates.size(), action));
          }
        }) {}
  ~Worker() {
    server_->Close();
    thread_.join();
  }

  std::string endpoint() const { return server_->endpoint(); }
  int answered() const { return answered_; }

 private:
  FakeProcess process_;
  std::unique_ptr<ZmqLmServer> server_;
  std::atomic<int> answered_{0};
  std::thread thread_;
};

class Lm : public ::testing::Test {
 protected:
  FakeProcess actor_;
  std::unique_ptr<ZmqLmClient> client_ = MakeZmqLmClient(actor_.context(), core::Tier::kQuick);
};

TEST_F(Lm, AnswersManyEpisodesFromSeveralWorkers) {
  Worker first, second;
  client_->SetWorkers({first.endpoint(), second.endpoint()});
  std::vector<std::thread> episodes;
  for (int i = 0; i < 8; ++i) {
    episodes.emplace_back([&] {
      for (int step = 0; step < 100; ++step) {
        const core::Proposal proposal = client_->Propose(testing::MakeLmRequest());
        EXPECT_EQ(proposal.action, 1);
        EXPECT_EQ(proposal.usage.batch_size, 4);
        EXPECT_EQ(proposal.features, (std::vector<float>{0.5f, -1.25f, 2.0f}));
      }
    });
  }
  for (std::thread& episode : episodes) episode.join();

  EXPECT_EQ(first.answered() + second.answered(), 800);
  EXPECT_GT(first.answered(), 0);
  EXPECT_GT(second.answered(), 0);
}

TEST_F(Lm, GivesTheNextRequestToTheWorkerWithLessToDo) {
  FakeProcess first_process, second_process;
  const auto first = MakeZmqLmServer(first_process.context());
  const auto second = MakeZmqLmServer(second_process.context());
  client_->SetWorkers({first->endpoint(), second->endpoint()});
  for (const core::TimePoint deadline = Soon();
       actor_.metrics.Sum("londi_lm_workers_reachable") < 2;) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }

  std::vector<std::thread> episodes;
  for (int i = 0; i < 6; ++i) {
    episodes.emplace_back([&] { client_->Propose(testing::MakeLmRequest()); });
  }
  // Nobody answers before all six have arrived: three lie at each worker.
  std::vector<std::pair<ZmqLmServer*, Ticket>> held;
  for (ZmqLmServer* server : {first.get(), second.get()}) {
    for (int i = 0; i < 3; ++i) {
      const auto incoming = server->Receive(Soon());
      ASSERT_TRUE(incoming);
      held.emplace_back(server, incoming->ticket);
    }
  }
  for (const auto& [server, ticket] : held) server->Reply(ticket, testing::MakeProposal(3));
  for (std::thread& episode : episodes) episode.join();
}

TEST_F(Lm, TakesRequestsOfADyingWorkerElsewhere) {
  FakeProcess dying_process;
  auto dying = MakeZmqLmServer(dying_process.context());
  client_->SetWorkers({dying->endpoint()});
  std::thread episode([&] { EXPECT_EQ(client_->Propose(testing::MakeLmRequest()).action, 2); });
  ASSERT_TRUE(dying->Receive(Soon()));  // It has the request, and will never answer.

  Worker heir(2);
  client_->SetWorkers({dying->endpoint(), heir.endpoint()});
  dying.reset();

  episode.join();
}

TEST_F(Lm, TakesRequestsOfAWorkerThatLostItsLeaseElsewhere) {
  FakeProcess stuck_process;
  const auto stuck = MakeZmqLmServer(stuck_process.context());
  client_->SetWorkers({stuck->endpoint()});
  std::thread episode([&] { EXPECT_EQ(client_->Propose(testing::MakeLmRequest()).action, 2); });
  ASSERT_TRUE(stuck->Receive(Soon()));

  Worker heir(2);
  client_->SetWorkers({heir.endpoint()});  // The registry does not list the stuck one any more.

  episode.join();
}

// A budget is spent once: what the lost worker has computed of it nobody knows.
TEST_F(Lm, ARequestWithALimitIsNotAskedASecondTimeWhenItsWorkerIsLost) {
  FakeProcess stuck_process;
  const auto stuck = MakeZmqLmServer(stuck_process.context());
  client_->SetWorkers({stuck->endpoint()});
  core::LmRequest request = testing::MakeLmRequest();
  request.max_tokens = 10;
  std::thread episode([&] { EXPECT_THROW(client_->Propose(request), core::UnavailableError); });
  ASSERT_TRUE(stuck->Receive(Soon()));

  Worker heir(2);
  client_->SetWorkers({heir.endpoint()});

  episode.join();
  EXPECT_EQ(client_->Propose(request).action, 2);  // Another request may go to it.
}

TEST_F(Lm, ARequestWithALimitIsNotAskedASecondTimeWhenItsForwardPassFailed) {
  for (const bool limited : {true, false}) {
    FakeProcess broken_process;
    const auto broken = MakeZmqLmServer(broken_process.context());
    client_->SetWorkers({broken->endpoint()});
    core::LmRequest request = testing::MakeLmRequest();
    if (limited) request.max_flops = 10;
    std::thread episode([&] {
      if (limited) {
        EXPECT_THROW(client_->Propose(request), core::UnavailableError);
      } else {
        EXPECT_EQ(client_->Propose(request).action, 2);
      }
    });
    const auto incoming = broken->Receive(Soon());
    ASSERT_TRUE(incoming);
    EXPECT_EQ(incoming->request.max_flops, request.max_flops);
    Worker other(2);
    client_->SetWorkers({broken->endpoint(), other.endpoint()});

    broken->Refuse(incoming->ticket, {"broken", "y", "f"}, Retry::kIfUnlimited);
    broken->Close();

    episode.join();
  }
}

// A worker that refuses its first request.
class Refusing {
 public:
  Refusing(std::string what, Retry retry) : what_(std::move(what)), retry_(retry) {}
  ~Refusing() { thread_.join(); }
  const std::string& endpoint() const { return server_->endpoint(); }

 private:
  FakeProcess process_;
  const std::unique_ptr<ZmqLmServer> server_ = MakeZmqLmServer(process_.context());
  const std::string what_;
  const Retry retry_;
  std::thread thread_{[this] {
    const auto incoming = server_->Receive(Soon());
    ASSERT_TRUE(incoming);
    server_->Refuse(incoming->ticket, {what_, "y", "f"}, retry_);
  }};
};

TEST_F(Lm, TellsTheCallerThatAnAnswerIsTooDear) {
  const Refusing worker("too dear", Retry::kOverBudget);
  client_->SetWorkers({worker.endpoint()});
  EXPECT_THROW(client_->Propose(testing::MakeLmRequest()), core::OverBudgetError);
}

TEST_F(Lm, PassesARefusalOnToAnotherWorker) {
  FakeProcess full_process;
  const auto full = MakeZmqLmServer(full_process.context());
  client_->SetWorkers({full->endpoint()});
  std::thread episode([&] { EXPECT_EQ(client_->Propose(testing::MakeLmRequest()).action, 2); });
  const auto incoming = full->Receive(Soon());
  ASSERT_TRUE(incoming);
  Worker other(2);
  client_->SetWorkers({full->endpoint(), other.endpoint()});

  full->Refuse(incoming->ticket, {"full", "too many tokens wait", "wait"}, Retry::kElsewhere);
  full->Close();  // Whatever comes back to it is refused at once.

  episode.join();
  EXPECT_GE(actor_.metrics.Sum("londi_lm_retries_total", {{"tier", "quick"}}), 1);
}

TEST_F(Lm, TellsTheCallerOfARefusalForGood) {
  const Refusing worker("the prompt is too long", Retry::kNever);
  client_->SetWorkers({worker.endpoint()});
  try {
    client_->Propose(testing::MakeLmRequest());
    ADD_FAILURE();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.text().what, "the prompt is too long");
  }
}

TEST_F(Lm, TellsTheCallerOfARequestThatCannotBeSent) {
  Worker worker;
  client_->SetWorkers({worker.endpoint()});
  core::LmRequest request = testing::MakeLmRequest();
  request.prompt.assign(3 << 20, 'x');
  EXPECT_THROW(client_->Propose(request), core::Error);
}

TEST_F(Lm, ThrowsAtTheDeadlineWithoutWorkersAndWithASilentOne) {
  EXPECT_THROW(client_->Propose(testing::MakeLmRequest(In(milliseconds(5)))),
               core::UnavailableError);

  FakeProcess process;
  const auto silent = MakeZmqLmServer(process.context());
  client_->SetWorkers({silent->endpoint()});
  std::thread episode([&] {
    EXPECT_THROW(client_->Propose(testing::MakeLmRequest(In(milliseconds(200)))),
                 core::UnavailableError);
  });
  const auto incoming = silent->Receive(Soon());
  episode.join();
  if (!incoming) return;  // A machine so slow that the request expired on its way.
  const core::TimePoint deadline = Soon();  // The cancellation travels.
  while (!incoming->IsCancelled() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_TRUE(incoming->IsCancelled());
}

TEST_F(Lm, WorkersMayComeLater) {
  std::thread episode([&] { EXPECT_EQ(client_->Propose(testing::MakeLmRequest()).action, 1); });
  Worker late;
  client_->SetWorkers(
      {"not an endpoint", late.endpoint()});  // A broken entry does not hurt the others.
  episode.join();
}

TEST_F(Lm, ClosingTheClientFreesItsCallers) {
  FakeProcess process;
  const auto silent = MakeZmqLmServer(process.context());
  client_->SetWorkers({silent->endpoint()});
  std::vector<std::thread> episodes;
  for (int i = 0; i < 4; ++i) {
    episodes.emplace_back([&] {
      EXPECT_THROW(client_->Propose(testing::MakeLmRequest(core::TimePoint::max())),
                   core::UnavailableError);
    });
  }
  ASSERT_TRUE(silent->Receive(Soon()));
  client_->Close();
  for (std::thread& episode : episodes) episode.join();
  EXPECT_THROW(client_->Propose(testing::MakeLmRequest()), core::UnavailableError);
}

TEST_F(Lm, ClosingTheServerFreesItsReceiver) {
  FakeProcess process;
  const auto server = MakeZmqLmServer(process.context());
  std::thread receiver([&] { EXPECT_FALSE(server->Receive(core::TimePoint::max())); });
  server->Close();
  receiver.join();
}

TEST(LmServer, RefusesAnInterfaceThatIsNotThere) {
  FakeProcess process;
  ChannelContext context = process.context();
  context.host = "203.0.113.1";
  EXPECT_THROW(MakeZmqLmServer(context), core::IoError);
}

}  // namespace
}  // namespace londi::transport
