// What durable acknowledgements cost: rows per second from ZeroMQ sinks to their acknowledgement
// with the log in the page cache and on the disk, in turns, beside the disk's own syncs, bare
// libzmq (32 rows a message, 16 messages under way, echoed, one client) and Reverb.
//
//   bench_durability FOLDER [ROWS [ACTORS [PYTHON]]]    FOLDER: on the disk to measure
//
// PYTHON has Reverb (see ingest_reverb.py).
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "learner/replay/ingest.h"
#include "tests/bench/support/bare_libzmq.h"
#include "tests/bench/support/peer_process.h"
#include "transport/zmq_transitions.h"

namespace londi {
namespace {

using bench::SecondsSince;
using std::chrono::steady_clock;

constexpr int kRowsPerMessage = 32;
constexpr std::size_t kFeatures = 448;  // With StoredRow 1008 bytes: rows of about 1 KB.

void SendRows(transport::TransitionSink& sink, std::int64_t actor, std::int64_t rows) {
  core::Transition row;
  row.actor = core::ActorId(actor);
  row.incarnation = core::Incarnation(1);
  row.features.assign(kFeatures, 0x3c00);
  for (std::int64_t i = 1; i <= rows; ++i) {
    row.sequence = core::Sequence(i);
    if (!sink.Push(row)) return;
  }
  if (!sink.Drain(steady_clock::now() + std::chrono::minutes(5))) fmt::print("rows are missing\n");
}

// Rows per second, acknowledged; and rows per commit.
std::pair<double, double> Acknowledged(const std::filesystem::path& folder,
                                       learner::Durability durability,
                                       std::int64_t rows,
                                       int actors) {
  std::filesystem::remove_all(folder);
  monitor::Metrics metrics;
  const monitor::Logger logger = monitor::MakeNullLogger();
  transport::Sockets sockets(std::nullopt, metrics, logger);
  const auto session =
      std::make_shared<transport::Session>(core::RunId(1), core::Epoch(1), core::Incarnation(1));
  const transport::ChannelContext context{sockets, session, metrics, logger};
  learner::SegmentLog log(folder, {.durability = durability});
  const auto source = transport::MakeZmqTransitionSource(context);
  const std::atomic<std::int64_t> sampled = std::int64_t{1} << 40;  // The learner is never behind.
  learner::Ingest ingest(log, *source, learner::RateLimiter({}), {}, sampled, metrics, logger);
  std::vector<std::unique_ptr<transport::ZmqTransitionSink>> sinks;
  for (int i = 0; i < actors; ++i) {
    sinks.push_back(transport::MakeZmqTransitionSink(context));
    sinks.back()->SetEndpoint(source->endpoint());
  }
  const auto start = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < actors; ++i) {
      threads.emplace_back([&, i] { SendRows(*sinks[static_cast<std::size_t>(i)], i, rows); });
    }
  }
  const double seconds = SecondsSince(start);
  ingest.ThrowIfFailed();
  const auto total = static_cast<double>(rows * actors);
  return {total / seconds, total / metrics.Sum("londi_learner_commits_total")};
}

// Syncs per second of a preallocated file with `bytes` more of it written before each.
double SyncRate(const std::filesystem::path& file, std::size_t bytes) {
  const learner::DiskCalls disk;
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const std::vector<char> block(bytes, 'x');
  constexpr int kMost = 2000;
  if (fd < 0 || disk.allocate(fd, static_cast<std::int64_t>(bytes) * kMost) != 0) return 0;
  const auto start = steady_clock::now();
  int syncs = 0;
  while (syncs < kMost && SecondsSince(start) < 2) {
    const auto offset = static_cast<off_t>(bytes) * syncs;
    if (pwrite(fd, block.data(), bytes, offset) < 0 || disk.sync_data(fd) != 0) break;
    ++syncs;
  }
  const double rate = syncs / SecondsSince(start);
  close(fd);
  std::filesystem::remove(file);
  return rate;
}

double ReverbRate(const std::string& python, std::int64_t rows, int clients) {
  return bench::PeerProcess({python, LONDI_BENCH_SOURCE "/ingest_reverb.py"})
      .Ask(std::to_string(rows) + " " + std::to_string(clients))
      .at(0);
}

int Run(const std::filesystem::path& folder,
        std::int64_t rows,
        int actors,
        const std::string& python) {
  std::filesystem::create_directories(folder);
  fmt::print("{} actors, {} rows of 1 KB each\n", actors, rows);
  for (int round = 1; round <= 3; ++round) {
    const double small = SyncRate(folder / "sync", 4096);
    const double large = SyncRate(folder / "sync", 1 << 20);
    const auto [cached, unused] =
        Acknowledged(folder / "log", learner::Durability::kPageCache, rows, actors);
    const auto [durable, group] =
        Acknowledged(folder / "log", learner::Durability::kDisk, rows, actors);
    fmt::print(
        "round {}: page-cache {:.0f} rows/s, disk {:.0f} rows/s ({:.2f}x, {:.0f} rows per commit); "
        "the disk alone: {:.0f} syncs/s of 4 KB, {:.0f} of 1 MB\n",
        round,
        cached,
        durable,
        durable / cached,
        group,
        small,
        large);
    const double bare =
        kRowsPerMessage * bench::BareRate(std::nullopt, kRowsPerMessage * 1024, 16, 16, 1);
    fmt::print("         bare libzmq {:.0f} rows/s: page-cache {:.2f}x, disk {:.2f}x\n",
               bare,
               cached / bare,
               durable / bare);
    if (python.empty()) continue;
    const double reverb = ReverbRate(python, rows, actors);
    fmt::print("         Reverb {:.0f} rows/s: page-cache {:.1f}x, disk {:.1f}x\n",
               reverb,
               cached / reverb,
               durable / reverb);
  }
  std::filesystem::remove_all(folder / "log");
  return 0;
}

}  // namespace
}  // namespace londi

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "bench_durability FOLDER [ROWS [ACTORS [PYTHON]]]\n");
    return 2;
  }
  return londi::Run(argv[1],
                    argc > 2 ? std::atoll(argv[2]) : 200'000,
                    argc > 3 ? std::atoi(argv[3]) : 2,
                    argc > 4 ? argv[4] : "");
}
