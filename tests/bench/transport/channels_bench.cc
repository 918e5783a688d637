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

#include "tests/bench/support/bare_libzmq.h"
#include "tests/bench/support/figures.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_lm_server.h"
#include "transport/zmq_transitions.h"

namespace {

using namespace londi;
using bench::BareEcho;
using bench::BareRate;
using bench::Clock;
using bench::Keys;
using bench::SecondsSince;

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

// Prints medians over the turns: ours, bare, their ratio, and whatever else a turn returns.
void PrintRow(const char* name,
              const char* security,
              const std::function<std::vector<double>()>& turn) {
  std::vector<std::vector<double>> columns;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<double> figures = turn();
    figures.insert(figures.begin() + 2, figures[0] / figures[1]);
    columns.resize(figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i) columns[i].push_back(figures[i]);
  }
  std::printf("%s,%s", name, security);
  for (std::size_t i = 0; i < columns.size(); ++i)
    std::printf(i == 2 ? ",%.3f" : ",%.1f", bench::Median(columns[i]));
  std::printf("\n");
  std::fflush(stdout);
}

void Measure(const char* security, const Keys& keys, double seconds) {
  PrintRow("round-trip", security, [&]() -> std::vector<double> {
    Worker worker(keys);
    Client client(keys, worker);
    BareEcho echo(keys, kMessage);
    const double ours = bench::Median(Microseconds(seconds, [&] { client.Ask(); }));
    const double bare = bench::Median(Microseconds(seconds, [&] {
      echo.Send(kMessage);
      echo.Receive();
    }));
    return {ours, bare};
  });
  PrintRow("rows", security, [&]() -> std::vector<double> {
    const double ours = AcknowledgedRows(keys, seconds);
    const double bare = BareRate(keys, kRowsPerMessage * kMessage, /*answer=*/16, 16, seconds);
    return {ours, kRowsPerMessage * bare};
  });
  PrintRow("requests", security, [&]() -> std::vector<double> {
    const Load load = ManyCallers(keys, seconds);
    return {load.rate, BareRate(keys, kMessage, kMessage, 64, seconds), load.p50, load.p99};
  });
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  Measure("none", std::nullopt, seconds);
  Measure("curve", transport::MakeRunKeys(), seconds);
}
