#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "tests/support/transport_support.h"
#include "transport/codec.h"
#include "transport/dealer.h"
#include "transport/listener.h"
#include "transport/registry_client.h"
#include "transport/registry_server.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_lm_server.h"
#include "transport/zmq_transitions.h"
#include "transport/zmq_weights.h"

// Strangers at every socket that is bound: no message of theirs arrives, they are counted, nobody
// hangs, and the run's own clients are served all the same.
namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::In;
using testing::Soon;
using testing::TestKeys;

// A plain peer finds out as early as the server that they do not speak the same, and hangs up:
// either may come first.
const std::string kAny;

struct Stranger {
  const char* name;
  std::optional<RunKeys> keys;
  std::string reason;  // Label of londi_refused_peers_total.
};

void PrintTo(const Stranger& stranger, std::ostream* out) { *out << stranger.name; }

RunKeys With(const KeyPair& server, const KeyPair& client) { return {server, client}; }

std::vector<Stranger> Strangers() {
  const RunKeys other = MakeRunKeys();
  return {{"WithoutKeys", std::nullopt, kAny},
          {"WithAnotherServerKey", With(other.server, TestKeys().client), "server_key"},
          {"WithAnotherClientKey", With(TestKeys().server, other.client), "client_key"}};
}

bool Eventually(const std::function<bool()>& holds) {
  for (const core::TimePoint deadline = Soon(); std::chrono::steady_clock::now() < deadline;) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

class Security : public ::testing::TestWithParam<Stranger> {
 protected:
  bool IsCountedNow() const {
    monitor::Labels labels;
    if (GetParam().reason != kAny) labels = {{"reason", GetParam().reason}};
    return server_.metrics.Sum("londi_refused_peers_total", labels) >= 1;
  }
  bool IsCounted() const {
    return Eventually([&] { return IsCountedNow(); });
  }
  double NumRejected() const { return server_.metrics.Sum("londi_rejected_messages_total"); }

  FakeProcess server_;
  FakeProcess client_{2};
  FakeProcess stranger_{GetParam().keys, 3};
};

TEST_P(Security, ReachesNoLmServer) {
  const auto server = MakeZmqLmServer(server_.context());
  const auto intruder = MakeZmqLmClient(stranger_.context(), core::Tier::kQuick);
  intruder->SetWorkers({server->endpoint()});

  EXPECT_THROW(intruder->Propose(testing::MakeLmRequest(In(milliseconds(300)))),
               core::UnavailableError);
  EXPECT_TRUE(IsCounted());
  EXPECT_FALSE(server->Receive(In(milliseconds(0))));

  const auto client = MakeZmqLmClient(client_.context(), core::Tier::kQuick);
  client->SetWorkers({server->endpoint()});
  std::thread worker([&] {
    const auto incoming = server->Receive(Soon());
    ASSERT_TRUE(incoming);
    server->Reply(incoming->ticket, testing::MakeProposal(3, 0));
  });
  EXPECT_EQ(client->Propose(testing::MakeLmRequest()).action, 0);
  worker.join();
}

TEST_P(Security, ReachesNoTransitionSource) {
  const auto source = MakeZmqTransitionSource(server_.context());
  const auto intruder = MakeZmqTransitionSink(stranger_.context());
  intruder->SetEndpoint(source->endpoint());
  ASSERT_TRUE(intruder->Push(testing::MakeRow(1)));

  EXPECT_FALSE(intruder->Drain(In(milliseconds(300))));
  EXPECT_TRUE(IsCounted());
  EXPECT_FALSE(source->Receive(In(milliseconds(0))));

  const auto sink = MakeZmqTransitionSink(client_.context());
  sink->SetEndpoint(source->endpoint());
  ASSERT_TRUE(sink->Push(testing::MakeRow(1)));
  EXPECT_TRUE(source->Receive(Soon()));
}

TEST_P(Security, LearnsNoWeights) {
  const auto publisher = MakeZmqWeightsPublisher(server_.context());
  publisher->Publish(testing::MakeWeights(1));
  const auto intruder = MakeZmqWeightsSubscriber(stranger_.context());
  intruder->SetEndpoints(publisher->announce_endpoint(), publisher->pull_endpoint());

  EXPECT_EQ(intruder->WaitForFirst(In(milliseconds(300))), nullptr);
  EXPECT_TRUE(IsCounted());

  const auto subscriber = MakeZmqWeightsSubscriber(client_.context());
  subscriber->SetEndpoints(publisher->announce_endpoint(), publisher->pull_endpoint());
  EXPECT_NE(subscriber->WaitForFirst(Soon()), nullptr);
}

TEST_P(Security, JoinsNoRun) {
  const auto server = MakeRegistryServer(server_.context());
  const auto locate = [&] {
    return std::optional(Rendezvous{server->endpoint(), core::RunId(7), core::Epoch(1)});
  };
  const RegistryClientOptions options{.renew_every = milliseconds(20)};

  // On a busy machine an attempt may end before its connection was refused.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_THROW(JoinRegistry({stranger_.sockets, stranger_.metrics, stranger_.logger, locate},
                              {.name = "actor.0"},
                              options,
                              In(milliseconds(300))),
                 core::UnavailableError);
    return IsCountedNow();
  }));
  EXPECT_TRUE(server->Members().empty());

  const auto client = JoinRegistry({client_.sockets, client_.metrics, client_.logger, locate},
                                   {.name = "actor.0"},
                                   options,
                                   Soon());
  EXPECT_EQ(client->session()->run(), core::RunId(7));
}

// A raw ZeroMQ socket that floods: nothing of it is even looked at.
TEST_P(Security, NoMessageOfAFloodIsAccepted) {
  const auto server = MakeZmqLmServer(server_.context());
  zmq::socket_t flood = MakeSocket(stranger_.sockets,
                                   zmq::socket_type::dealer,
                                   SocketEnd::kConnects,
                                   {.linger = milliseconds(0)});
  Connect(flood, server->endpoint());
  for (int i = 0; i < 1000; ++i) {
    [[maybe_unused]] const bool sent =
        TrySend(flood, EncodeLmCancel(*stranger_.session, static_cast<std::uint64_t>(i)));
  }

  EXPECT_TRUE(IsCounted());
  EXPECT_EQ(NumRejected(), 0);
}

// The connecting ends do not talk to a server of another run either.
TEST_P(Security, IsNoServerToTheRunsClients) {
  Listener impostor(stranger_.sockets, zmq::socket_type::router, "127.0.0.1");
  const auto client = MakeZmqLmClient(client_.context(), core::Tier::kQuick);
  client->SetWorkers({impostor.endpoint()});

  EXPECT_THROW(client->Propose(testing::MakeLmRequest(In(milliseconds(300)))),
               core::UnavailableError);
  EXPECT_FALSE(TryReceiveRouted(impostor.socket()));
}

INSTANTIATE_TEST_SUITE_P(AStranger,
                         Security,
                         ::testing::ValuesIn(Strangers()),
                         [](const auto& info) { return info.param.name; });

TEST(Sockets, WithoutKeysAreForLoopbackOnlyAndNeverForAllInterfaces) {
  FakeProcess open(std::nullopt), secured;
  EXPECT_NO_THROW(Listener(open.sockets, zmq::socket_type::router, "127.0.0.1"));
  for (const char* all : {"*", "0.0.0.0"}) {
    EXPECT_THROW(Listener(open.sockets, zmq::socket_type::router, all), core::IoError) << all;
    EXPECT_THROW(Listener(secured.sockets, zmq::socket_type::router, all), core::IoError) << all;
  }
}

TEST(Sockets, WithoutKeysStillCarryMessages) {
  FakeProcess server(std::nullopt), client(std::nullopt, 2);
  Listener listener(server.sockets, zmq::socket_type::router, "127.0.0.1");
  Dealer dealer(client.sockets, listener.endpoint());
  EXPECT_TRUE(Eventually([&] {
    while (dealer.TakeLinkEvent()) {
    }
    return dealer.IsConnected();
  }));
  ASSERT_TRUE(dealer.TrySend("hello"));
  EXPECT_TRUE(Eventually([&] { return TryReceiveRouted(listener.socket()).has_value(); }));
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int ConnectTo(std::uint16_t port) {
  const sockaddr_in address = Loopback(port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

std::uint16_t PortOf(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

// Somebody in the middle of one connection, who writes down what the client says.
class Eavesdropper {
 public:
  explicit Eavesdropper(std::uint16_t server) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this, server](const std::stop_token& stop) { Relay(stop, server); });
  }
  ~Eavesdropper() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  const std::string& endpoint() const { return endpoint_; }
  std::string heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  static bool Wait(const std::stop_token& stop, pollfd* sockets, nfds_t count) {
    while (!stop.stop_requested()) {
      if (poll(sockets, count, 20) > 0) return true;
    }
    return false;
  }
  void Relay(const std::stop_token& stop, std::uint16_t server) {
    pollfd waiting{listener_, POLLIN, 0};
    if (!Wait(stop, &waiting, 1)) return;
    pollfd ends[] = {{accept(listener_, nullptr, nullptr), POLLIN, 0},
                     {ConnectTo(server), POLLIN, 0}};
    for (bool open = true; open && Wait(stop, ends, 2);) {
      for (const int from : {0, 1}) {
        if (ends[from].revents == 0) continue;
        char bytes[4096];
        const ssize_t size = read(ends[from].fd, bytes, sizeof(bytes));
        open = size > 0 && write(ends[1 - from].fd, bytes, static_cast<std::size_t>(size)) == size;
        if (!open) break;
        const std::lock_guard lock(mutex_);
        if (from == 0) heard_.append(bytes, static_cast<std::size_t>(size));
      }
    }
    for (const pollfd& end : ends) close(end.fd);
  }

  const int listener_;
  std::string endpoint_;
  std::mutex mutex_;
  std::string heard_;  // Guarded by mutex_.
  std::jthread thread_;
};

TEST(Replay, TheRecordedBytesOfAGoodClientBringNoMessageIn) {
  FakeProcess server, client(2);
  Listener listener(server.sockets, zmq::socket_type::router, "127.0.0.1");
  const auto serve = [&](const std::string& endpoint) {
    Dealer dealer(client.sockets, endpoint);
    const bool connected = Eventually([&] {
      while (dealer.TakeLinkEvent()) {
      }
      return dealer.IsConnected();
    });
    return connected && dealer.TrySend("hello") &&
           Eventually([&] { return TryReceiveRouted(listener.socket()).has_value(); });
  };
  Eavesdropper eavesdropper(PortOf(listener.endpoint()));
  ASSERT_TRUE(serve(eavesdropper.endpoint()));
  const std::string heard = eavesdropper.heard();
  ASSERT_GT(heard.size(), 64u + 200 + 257) << "greeting, HELLO, INITIATE";
  ASSERT_EQ(server.metrics.Sum("londi_refused_peers_total"), 0);

  constexpr int kReplays = 3;
  for (int i = 0; i < kReplays; ++i) {
    const int fd = ConnectTo(PortOf(listener.endpoint()));
    ASSERT_EQ(send(fd, heard.data(), heard.size(), MSG_NOSIGNAL), std::ssize(heard));
    // Until the server hangs up.
    char answer[4096];
    pollfd readable{fd, POLLIN, 0};
    while (poll(&readable, 1, 20'000) > 0 && read(fd, answer, sizeof(answer)) > 0) {
    }
    close(fd);
  }

  EXPECT_TRUE(
      Eventually([&] { return server.metrics.Sum("londi_refused_peers_total") >= kReplays; }));
  EXPECT_FALSE(TryReceiveRouted(listener.socket()).has_value());
  EXPECT_TRUE(serve(listener.endpoint())) << "the run's clients are served all the same";
}

}  // namespace
}  // namespace londi::transport
