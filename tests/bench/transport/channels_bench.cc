// The channels beside bare libzmq, in turns within one run: TCP over loopback, both ends in one
// process, each with its own threads and ZeroMQ context.
//
//   bench_channels [SECONDS]
//
// CSV rows, medians over the turns:
//   round-trip,SECURITY,us p50 ours,us p50 bare,ratio        1 KB to a worker and its answer back
//   rows,SECURITY,rows/s ours,rows/s bare,ratio              1 KB rows, 32 a message, acknowledged;
//                                                            bare: 16 messages under way, echoed
//   requests,SECURITY,1/s ours,1/s bare,ratio,us p50,us p99  128 callers at a worker that answers
//                                                            all that wait; bare: 1 KB messages,
//                                                            64 under way
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "tests/bench/support/figures.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_lm_server.h"
#include "transport/zmq_transitions.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::SecondsSince;
using Keys = std::optional<transport::RunKeys>;

constexpr int kRounds = 5;
constexpr std::size_t kMessage = 1024;
constexpr std::size_t kFeatures = 448;  // With its scalars a row of about 1 KB.
constexpr int kRowsPerMessage = 32;
constexpr int kCallers = 128;

struct Process {
  explicit Process(const Keys& keys) : sockets(keys, metrics, logger) {}
  transport::ChannelContext context() { return {sockets, session, metrics, logger}; }

  monitor::Metrics metrics;
  monitor::Logger logger = monitor::MakeNullLogger();
  transport::Sockets sockets;
  transport::SharedSession session =
      std::make_shared<transport::Session>(core::RunId(1), core::Epoch(1), core::Incarnation(1));
};

// Answers every message with `answer` bytes until it gets an empty one.
class BareEcho {
 public:
  BareEcho(const Keys& keys, std::size_t answer) : router_(context_, zmq::socket_type::router) {
    if (keys) {
      router_.set(zmq::sockopt::curve_server, true);
      router_.set(zmq::sockopt::curve_secretkey, keys->server.secret_key);
    }
    router_.bind("tcp://127.0.0.1:*");
    dealer_ = zmq::socket_t(own_, zmq::socket_type::dealer);
    if (keys) {
      dealer_.set(zmq::sockopt::curve_serverkey, keys->server.public_key);
      dealer_.set(zmq::sockopt::curve_publickey, keys->client.public_key);
      dealer_.set(zmq::sockopt::curve_secretkey, keys->client.secret_key);
    }
    dealer_.connect(router_.get(zmq::sockopt::last_endpoint));
    thread_ = std::thread([this, answer] { Serve(answer); });
  }
  ~BareEcho() {
    dealer_.send(zmq::message_t(), zmq::send_flags::none);
    thread_.join();
  }

  void Send(std::size_t bytes) { dealer_.send(zmq::message_t(bytes), zmq::send_flags::none); }
  void Receive() {
    zmq::message_t message;
    (void)dealer_.recv(message);
  }

 private:
  void Serve(std::size_t answer) {
    zmq::message_t from, message;
    while (router_.recv(from) && router_.recv(message) && message.size() > 0) {
      router_.send(from, zmq::send_flags::sndmore);
      router_.send(zmq::message_t(answer), zmq::send_flags::none);
    }
  }

  zmq::context_t context_, own_;
  zmq::socket_t router_, dealer_;
  std::thread thread_;
};

// Messages per second with `under_way` of them at once.
double BareRate(const Keys& keys, std::size_t bytes, std::size_t answer, int under_way, double s) {
  BareEcho echo(keys, answer);
  for (int i = 0; i < under_way; ++i) echo.Send(bytes);
  std::int64_t messages = 0;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < s) {
    for (int i = 0; i < 100; ++i, ++messages) {
      echo.Receive();
      echo.Send(bytes);
    }
  }
  const double rate = static_cast<double>(messages) / SecondsSince(begin);
  for (int i = 0; i < under_way; ++i) echo.Receive();
  return rate;
}

std::vector<double> Microseconds(double seconds, const std::function<void()>& once) {
  for (int i = 0; i < 100; ++i) once();
  std::vector<double> times;
  for (const auto begin = Clock::now(); SecondsSince(begin) < seconds;) {
    const auto start = Clock::now();
    once();
    times.push_back(1e6 * SecondsSince(start));
  }
  return times;
}

// A worker that answers all that wait at once, as behind a batched forward pass.
class Worker {
 public:
  explicit Worker(const Keys& keys)
      : process_(keys), server_(transport::MakeZmqLmServer(process_.context())) {
    proposal_.log_probs = {-0.5f, -2, -3};
    core::SummarizeLogProbs(proposal_);
    thread_ = std::thread([this] {
      std::vector<transport::Ticket> batch;
      while (auto request = server_->Receive(core::TimePoint::max())) {
        batch.assign(1, request->ticket);
        while (static_cast<int>(batch.size()) < kCallers &&
               (request = server_->Receive(Clock::now())))
          batch.push_back(request->ticket);
        for (const transport::Ticket ticket : batch) server_->Reply(ticket, proposal_);
      }
    });
  }
  ~Worker() {
    server_->Close();
    thread_.join();
  }
  std::string endpoint() const { return server_->endpoint(); }

 private:
  Process process_;
  std::unique_ptr<transport::ZmqLmServer> server_;
  core::Proposal proposal_;
  std::thread thread_;
};

core::LmRequest Request() {
  core::LmRequest request;
  request.prompt.assign(kMessage, 'x');
  request.candidates = {" a", " b", " c"};
  request.deadline = Clock::now() + std::chrono::minutes(1);
  return request;
}

class Client {
 public:
  Client(const Keys& keys, const Worker& worker)
      : process_(keys),
        client_(transport::MakeZmqLmClient(process_.context(), core::Tier::kQuick)) {
    client_->SetWorkers({worker.endpoint()});
  }
  void Ask() { client_->Propose(Request()); }

 private:
  Process process_;
  std::unique_ptr<transport::ZmqLmClient> client_;
};

struct Load {
  double rate = 0, p50 = 0, p99 = 0;  // 1/s, microseconds
};

Load ManyCallers(const Keys& keys, double seconds) {
  Worker worker(keys);
  Client client(keys, worker);
  client.Ask();
  std::mutex mutex;
  std::vector<double> all;
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        std::vector<double> times;
        while (SecondsSince(begin) < seconds) {
          const auto start = Clock::now();
          client.Ask();
          times.push_back(1e6 * SecondsSince(start));
        }
        std::lock_guard lock(mutex);
        all.insert(all.end(), times.begin(), times.end());
      });
    }
  }
  const double rate = static_cast<double>(all.size()) / SecondsSince(begin);
  return {rate, bench::Quantile(all, 0.5), bench::Quantile(all, 0.99)};
}

// Rows per second from Push to the acknowledgement.
double AcknowledgedRows(const Keys& keys, double seconds) {
  Process learner(keys), actor(keys);
  const auto source = transport::MakeZmqTransitionSource(learner.context());
  const auto sink = transport::MakeZmqTransitionSink(actor.context());
  sink->SetEndpoint(source->endpoint());
  std::atomic<bool> stopping = false;
  std::thread learning([&] {
    while (!stopping) {
      const auto batch = source->Receive(Clock::now() + std::chrono::milliseconds(20));
      if (batch) source->Ack(batch->stream, batch->last(), 1 << 14);
    }
  });
  core::Transition row;
  row.actor = core::ActorId(1);
  row.incarnation = core::Incarnation(1);
  row.features.assign(kFeatures, 0x3c00);
  std::int64_t rows = 0;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < seconds) {
    for (int i = 0; i < 1000; ++i) {
      row.sequence = core::Sequence(++rows);
      if (!sink->Push(row)) std::abort();
    }
  }
  if (!sink->Drain(Clock::now() + std::chrono::minutes(1))) std::abort();
  const double rate = static_cast<double>(rows) / SecondsSince(begin);
  stopping = true;
  learning.join();
  return rate;
}

void Measure(const char* security, const Keys& keys, double seconds) {
  std::vector<double> ours, bare, ratios, p50, p99;
  const auto clear = [&] {
    for (auto* values : {&ours, &bare, &ratios, &p50, &p99}) values->clear();
  };
  const auto add = [&](double one, double other) {
    ours.push_back(one);
    bare.push_back(other);
    ratios.push_back(one / other);
  };
  for (int round = 0; round < kRounds; ++round) {
    Worker worker(keys);
    Client client(keys, worker);
    BareEcho echo(keys, kMessage);
    const double one = bench::Median(Microseconds(seconds, [&] { client.Ask(); }));
    add(one, bench::Median(Microseconds(seconds, [&] {
          echo.Send(kMessage);
          echo.Receive();
        })));
  }
  std::printf("round-trip,%s,%.1f,%.1f,%.2f\n",
              security,
              bench::Median(ours),
              bench::Median(bare),
              bench::Median(ratios));
  clear();
  for (int round = 0; round < kRounds; ++round) {
    const double one = AcknowledgedRows(keys, seconds);
    add(one,
        kRowsPerMessage * BareRate(keys, kRowsPerMessage * kMessage, /*answer=*/16, 16, seconds));
  }
  std::printf("rows,%s,%.0f,%.0f,%.2f\n",
              security,
              bench::Median(ours),
              bench::Median(bare),
              bench::Median(ratios));
  clear();
  for (int round = 0; round < kRounds; ++round) {
    const Load load = ManyCallers(keys, seconds);
    add(load.rate, BareRate(keys, kMessage, kMessage, 64, seconds));
    p50.push_back(load.p50);
    p99.push_back(load.p99);
  }
  std::printf("requests,%s,%.0f,%.0f,%.3f,%.0f,%.0f\n",
              security,
              bench::Median(ours),
              bench::Median(bare),
              bench::Median(ratios),
              bench::Median(p50),
              bench::Median(p99));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  Measure("none", std::nullopt, seconds);
  Measure("curve", transport::MakeRunKeys(), seconds);
}
