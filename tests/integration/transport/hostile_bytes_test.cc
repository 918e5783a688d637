#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include "tests/support/transport_support.h"
#include "transport/codec.h"
#include "transport/codec_registry.h"
#include "transport/listener.h"
#include "transport/registry_client.h"
#include "transport/registry_server.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_lm_server.h"
#include "transport/zmq_socket.h"
#include "transport/zmq_transitions.h"
#include "transport/zmq_weights.h"

// Strangers connect to every bound socket and send rubbish: at the level of TCP, of ZeroMQ, of our
// frames (with right checksums), of the MessagePack inside. The service goes on and has counted
// what it refused.
namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::Soon;

std::mt19937& Random() {
  static std::mt19937 random(1234);
  return random;
}

std::string Noise(std::size_t size) {
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(Random()());
  return noise;
}

// Raw bytes over TCP, beginning like nothing ZeroMQ knows.
void AttackTcp(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  for (const std::string& bytes :
       {Noise(1000), std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\xff")}) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_GT(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
    close(fd);
  }
}

// Well-formed frames of the right run around damaged bodies, and everything else that can be wrong
// with a message.
std::vector<std::string> HostileMessages() {
  const Session insider(core::RunId(7), core::Epoch(1), core::Incarnation(99));
  const Session stranger(core::RunId(8), core::Epoch(1), core::Incarnation(1));
  const StreamId stream{core::ActorId(1), core::Incarnation(1)};
  const std::vector<std::string> valid = {
      EncodeLmRequest(insider, 1, testing::MakeLmRequest(), std::chrono::steady_clock::now()),
      EncodeTransitions(insider, {stream, testing::MakeRows(1, 4, 1, 1)}),
      EncodeWeights(insider, *testing::MakeWeights(1)),
      EncodeRegister(insider, {.name = "x", .nonce = 1}),
      EncodeRenew(insider, {.member = MemberId(1)}),
  };
  std::vector<std::string> hostile = {"", Noise(10), Noise(5000), EncodeLmCancel(stranger, 1)};
  for (int type = 0; type < 40; ++type) {
    for (const std::string& message : valid) {
      std::string damaged =
          message.substr(0, kFrameHeaderBytes + Random()() % (message.size() - kFrameHeaderBytes));
      for (int i = 0; i < 3 && damaged.size() > kFrameHeaderBytes; ++i) {
        const std::size_t body = damaged.size() - kFrameHeaderBytes;
        damaged[kFrameHeaderBytes + Random()() % body] = static_cast<char>(Random()());
      }
      FinishFrame(static_cast<MessageType>(type), insider, damaged);
      hostile.push_back(damaged);
    }
  }
  return hostile;
}

// Never waits: a socket whose peer has refused it (a DEALER at a PUB) would wait for ever.
void SendNow(zmq::socket_t& socket, const std::string& message, bool more = false) {
  const auto flags = more ? zmq::send_flags::sndmore : zmq::send_flags::none;
  [[maybe_unused]] const auto sent =
      socket.send(zmq::buffer(message), flags | zmq::send_flags::dontwait);
}

// With the keys of the run: what an insider gone mad would send.
void AttackZeroMq(const std::string& endpoint) {
  FakeProcess insider;
  for (const zmq::socket_type type :
       {zmq::socket_type::dealer, zmq::socket_type::req, zmq::socket_type::sub}) {
    zmq::socket_t socket =
        MakeSocket(insider.sockets, type, SocketEnd::kConnects, {.linger = milliseconds(2000)});
    if (type == zmq::socket_type::sub) socket.set(zmq::sockopt::subscribe, Noise(100));
    socket.connect(endpoint);
    if (type == zmq::socket_type::sub) continue;
    for (const std::string& message : HostileMessages()) {
      SendNow(socket, message);
      if (type == zmq::socket_type::req) break;  // Waits for an answer that will not come.
    }
    if (type == zmq::socket_type::req) continue;
    for (int parts = 2; parts < 6; ++parts) {
      for (int i = 0; i < parts; ++i) SendNow(socket, Noise(20), i + 1 < parts);
    }
  }
}

void Attack(const std::string& endpoint) {
  AttackTcp(endpoint);
  AttackZeroMq(endpoint);
}

bool Eventually(const std::function<bool()>& holds) {
  for (const core::TimePoint deadline = Soon(); std::chrono::steady_clock::now() < deadline;) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

constexpr double kManyRejected = 100;

double NumRejected(const FakeProcess& process, const std::string& channel) {
  return process.metrics.Sum("londi_rejected_messages_total", {{"channel", channel}});
}

bool HasRejected(const FakeProcess& process, const std::string& channel) {
  return Eventually([&] { return NumRejected(process, channel) >= kManyRejected; });
}

TEST(HostileBytes, LmServerGoesOn) {
  FakeProcess process, actor;
  const auto server = MakeZmqLmServer(process.context());
  Attack(server->endpoint());
  EXPECT_TRUE(HasRejected(process, "lm"));

  const auto client = MakeZmqLmClient(actor.context(), core::Tier::kQuick);
  client->SetWorkers({server->endpoint()});
  std::thread worker([&] {
    while (const auto incoming = server->Receive(core::TimePoint::max())) {
      server->Reply(incoming->ticket,
                    testing::MakeProposal(incoming->request.candidates.size(), 0));
    }
  });
  EXPECT_EQ(client->Propose(testing::MakeLmRequest()).action, 0);
  server->Close();
  worker.join();
}

TEST(HostileBytes, TransitionSourceGoesOn) {
  FakeProcess process, actor(2);
  const auto source = MakeZmqTransitionSource(process.context());
  Attack(source->endpoint());
  EXPECT_TRUE(HasRejected(process, "transitions.source"));

  const auto sink = MakeZmqTransitionSink(actor.context());
  sink->SetEndpoint(source->endpoint());
  for (std::int64_t i = 1; i <= 40; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  for (std::int64_t last = 0; last < 40;) {
    const auto batch = source->Receive(Soon());
    ASSERT_TRUE(batch);
    if (batch->stream.actor == core::ActorId(3)) last = batch->last().value;
    source->Ack(batch->stream, batch->last(), 100);
  }
  EXPECT_TRUE(sink->Drain(Soon()));
}

TEST(HostileBytes, WeightsPublisherGoesOn) {
  FakeProcess process, actor;
  const auto publisher = MakeZmqWeightsPublisher(process.context());
  Attack(publisher->pull_endpoint());
  Attack(publisher->announce_endpoint());
  EXPECT_TRUE(HasRejected(process, "weights.publisher"));

  const auto subscriber = MakeZmqWeightsSubscriber(actor.context());
  subscriber->SetEndpoints(publisher->announce_endpoint(), publisher->pull_endpoint());
  publisher->Publish(testing::MakeWeights(1));
  EXPECT_NE(subscriber->WaitForFirst(Soon()), nullptr);
}

TEST(HostileBytes, RegistryGoesOn) {
  FakeProcess process, member;
  const auto server = MakeRegistryServer(process.context());
  Attack(server->endpoint());
  EXPECT_TRUE(HasRejected(process, "registry.server"));

  const Rendezvous rendezvous{server->endpoint(), core::RunId(7), core::Epoch(1)};
  const auto client =
      JoinRegistry({member.sockets, member.metrics, member.logger, [&] { return rendezvous; }},
                   {.name = "actor.0"},
                   {},
                   Soon());
  EXPECT_EQ(client->session()->run(), core::RunId(7));
}

// The connecting ends trust their peers as little.
TEST(HostileBytes, ConnectingEndsGoOn) {
  FakeProcess enemy;
  Listener requests(enemy.sockets, zmq::socket_type::router, "127.0.0.1");
  Listener announcements(enemy.sockets, zmq::socket_type::pub, "127.0.0.1");
  zmq::socket_t& router = requests.socket();
  zmq::socket_t& publisher = announcements.socket();

  FakeProcess actor;
  const auto client = MakeZmqLmClient(actor.context(), core::Tier::kQuick);
  const auto sink = MakeZmqTransitionSink(actor.context());
  const auto subscriber = MakeZmqWeightsSubscriber(actor.context());
  client->SetWorkers({requests.endpoint()});
  sink->SetEndpoint(requests.endpoint());
  subscriber->SetEndpoints(announcements.endpoint(), requests.endpoint());
  ASSERT_TRUE(sink->Push(testing::MakeRow(1)));
  std::thread episode([&] {
    EXPECT_THROW(client->Propose(testing::MakeLmRequest(core::TimePoint::max())),
                 core::UnavailableError);
  });

  // Whoever says something is answered with everything hostile there is, and it is published again
  // and again: what is published before a subscription has arrived is heard by nobody.
  const auto have_all_rejected = [&] {
    return std::ranges::all_of(
        std::array{"lm.client.quick", "transitions.sink", "weights.subscriber"},
        [&](const char* channel) { return NumRejected(actor, channel) >= kManyRejected; });
  };
  router.set(zmq::sockopt::rcvtimeo, 100);
  std::set<std::string> answered;
  for (const core::TimePoint deadline = Soon();
       !have_all_rejected() && std::chrono::steady_clock::now() < deadline;) {
    for (const std::string& message : HostileMessages())
      publisher.send(zmq::buffer(message), zmq::send_flags::none);
    zmq::message_t peer, body;
    if (!router.recv(peer) || !router.recv(body)) continue;
    if (!answered.insert(peer.to_string()).second) continue;
    for (const std::string& message : HostileMessages()) {
      router.send(zmq::buffer(peer.to_string_view()), zmq::send_flags::sndmore);
      router.send(zmq::buffer(message), zmq::send_flags::none);
    }
  }
  EXPECT_TRUE(HasRejected(actor, "lm.client.quick"));
  EXPECT_TRUE(HasRejected(actor, "transitions.sink"));
  EXPECT_TRUE(HasRejected(actor, "weights.subscriber"));
  EXPECT_EQ(sink->status().unacknowledged, 1);
  client->Close();
  episode.join();
}

}  // namespace
}  // namespace londi::transport
