// What a row costs while a run grows: more rows in the log, more actors connected.
//
//   bench_growth FOLDER [MOST_ROWS [MOST_ACTORS]]     FOLDER: needs 1.1 KB for each row
//
// CSV rows; "cpu" is that of the whole process, so that other work on the machine counts less:
//   log,ROWS,us/row,cpu us/row,us/row at the median,ms/batch
//       appended, committed (2,048 at a time) and indexed, on the way from the size before to
//       this one; and at this size 256 rows sampled by priority, gathered and updated
//   actors,ACTORS,us/row,learner's cpu us/row,actors' cpu us/row,rows/commit
//       1 KB rows from ZeroMQ sinks, each in a process of its own as actors are, to their
//       acknowledgement by the log (page cache)
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "learner/batch.h"
#include "learner/replay/ingest.h"
#include "learner/replay/replay.h"
#include "tests/bench/learner/bench_rows.h"
#include "tests/bench/support/figures.h"
#include "tests/bench/support/peer_process.h"
#include "transport/zmq_transitions.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::CpuSeconds;
using bench::SecondsSince;

constexpr int kFeatures = 448;  // Rows of about 1 KB.
constexpr int kPerCommit = 2048;
constexpr int kBatch = 256;
constexpr int kBatches = 300;
constexpr std::int64_t kFirstSize = 10'000;
constexpr std::int64_t kRowsOfAllActors = 400'000;

// A message of rows that goes on where the one before ended; made once, renumbered each time.
class Feed {
 public:
  Feed() : rows_(kPerCommit) { bench::RowSource(kFeatures).Fill(rows_); }

  const std::vector<core::Transition>& Next() {
    for (core::Transition& row : rows_) {
      row.sequence = core::Sequence(++sequence_);
      row.episode = core::EpisodeId(sequence_ / 24);
      row.step = static_cast<std::int32_t>(sequence_ % 24);
      row.terminated = row.step == 23;
    }
    return rows_;
  }

 private:
  std::vector<core::Transition> rows_;
  std::int64_t sequence_ = 0;
};

double MillisecondsPerBatch(learner::Replay& replay) {
  learner::Random random(1);
  learner::Replay::Samples samples;
  learner::Batch batch;
  std::vector<float> errors(kBatch);
  const learner::BatchOptions options{.batch_size = kBatch, .agreement_rows = false};
  std::vector<double> times;
  for (int i = 0; i < kBatches; ++i) {
    const auto begin = Clock::now();
    replay.Sample(kBatch, 0.4, random, samples);
    learner::MakeBatch(replay, samples, options, random, batch);
    for (float& error : errors) error = static_cast<float>(random.Uniform());
    replay.UpdatePriorities(samples.rows, errors);
    times.push_back(1e3 * SecondsSince(begin));
  }
  return bench::Median(times);
}

void GrowLog(const std::filesystem::path& folder, std::int64_t most_rows) {
  learner::SegmentLog log(folder, {});
  learner::Replay replay(log, {.capacity = most_rows}, /*n_step=*/1);
  Feed feed;
  for (std::int64_t size = kFirstSize; size <= most_rows; size *= 10) {
    const std::int64_t before = log.end();
    double seconds = 0, cpu = 0;
    std::vector<double> each;
    while (log.end() < size) {
      const std::vector<core::Transition>& rows = feed.Next();
      const double cpu_before = CpuSeconds();
      const auto begin = Clock::now();
      log.Append(rows);
      log.Commit();
      replay.CatchUp(log.end());
      each.push_back(SecondsSince(begin) * 1e6 / kPerCommit);
      seconds += SecondsSince(begin);
      cpu += CpuSeconds() - cpu_before;
    }
    const auto rows = static_cast<double>(log.end() - before);
    std::printf("log,%lld,%.3f,%.3f,%.3f,%.3f\n",
                static_cast<long long>(size),
                1e6 * seconds / rows,
                1e6 * cpu / rows,
                bench::Median(each),
                MillisecondsPerBatch(replay));
    std::fflush(stdout);
  }
}

using Processes = std::vector<std::unique_ptr<bench::PeerProcess>>;

// Seconds until the log has `rows` of each.
double SendFromAll(const Processes& processes, learner::SegmentLog& log, std::int64_t rows) {
  const auto begin = Clock::now();
  const std::int64_t end = log.end() + rows * std::ssize(processes);
  for (const auto& process : processes) process->Tell(std::to_string(rows));
  if (!log.WaitForRows(end - 1, begin + std::chrono::minutes(5))) std::abort();
  const double seconds = SecondsSince(begin);
  for (const auto& process : processes) process->Hear();
  return seconds;
}

double CpuSecondsOfAll(const Processes& processes) {
  double seconds = 0;
  for (const auto& process : processes) seconds += process->Ask("0").at(0);
  return seconds;
}

void MeasureActors(const std::filesystem::path& folder, int actors) {
  std::filesystem::remove_all(folder);
  monitor::Metrics metrics;
  const monitor::Logger logger = monitor::MakeNullLogger();
  transport::Sockets sockets(std::nullopt, metrics, logger);
  const auto session =
      std::make_shared<transport::Session>(core::RunId(1), core::Epoch(1), core::Incarnation(1));
  const transport::ChannelContext context{sockets, session, metrics, logger};
  learner::SegmentLog log(folder, {});
  const auto source = transport::MakeZmqTransitionSource(context);
  const std::atomic<std::int64_t> sampled = std::int64_t{1} << 40;  // The learner is never behind.
  learner::Ingest ingest(log, *source, learner::RateLimiter({}), {}, sampled, metrics, logger);
  Processes processes;
  for (int i = 0; i < actors; ++i) {
    processes.push_back(std::make_unique<bench::PeerProcess>(std::vector<std::string>{
        LONDI_BENCH_SINK, source->endpoint(), std::to_string(i), std::to_string(kFeatures)}));
  }
  const std::int64_t each = kRowsOfAllActors / actors;
  SendFromAll(processes, log, each);  // Connections are made, memory is taken.
  const double commits = metrics.Sum("londi_learner_commits_total");
  const double actors_cpu = CpuSecondsOfAll(processes);
  const double cpu = CpuSeconds();
  const double seconds = SendFromAll(processes, log, each);
  const auto rows = static_cast<double>(each * actors);
  const double per_row = 1e6 / rows;
  std::printf("actors,%d,%.3f,%.3f,%.3f,%.0f\n",
              actors,
              per_row * seconds,
              per_row * (CpuSeconds() - cpu),
              per_row * (CpuSecondsOfAll(processes) - actors_cpu),
              rows / (metrics.Sum("londi_learner_commits_total") - commits));
  std::fflush(stdout);
  ingest.ThrowIfFailed();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_growth FOLDER [MOST_ROWS [MOST_ACTORS]]\n");
    return 2;
  }
  const std::filesystem::path folder = std::filesystem::path(argv[1]) / "growth";
  const std::int64_t most_rows = argc > 2 ? std::atoll(argv[2]) : 10'000'000;
  const int most_actors = argc > 3 ? std::atoi(argv[3]) : 256;
  GrowLog(folder / "log", most_rows);
  std::filesystem::remove_all(folder);
  for (int actors = 1; actors <= most_actors; actors *= 4) MeasureActors(folder / "log", actors);
  std::filesystem::remove_all(folder);
}
