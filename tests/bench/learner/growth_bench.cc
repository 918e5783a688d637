// What a row costs while a run grows: more rows in the log, more actors connected.
//
//   bench_growth FOLDER [MOST_ROWS [MOST_ACTORS]]     FOLDER: needs 1.1 KB for each row
//
// CSV rows; "cpu" is that of the whole process, so that other work on the machine counts less:
//   log,ROWS,us/row,cpu us/row,us/row at the median,ms/batch
//       appended, committed (2,048 at a time) and indexed, on the way from the size before to
//       this one; and at this size 256 rows sampled by priority, gathered and updated
//   actors,ACTORS,us/row,cpu us/row        1 KB rows from ZeroMQ sinks, one connection each, to
//                                          their acknowledgement by the log (page cache)
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "learner/batch.h"
#include "learner/ingest.h"
#include "learner/replay.h"
#include "tests/bench/learner/bench_rows.h"
#include "tests/bench/support/figures.h"
#include "transport/zmq_transitions.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::SecondsSince;

constexpr int kFeatures = 448;  // Rows of about 1 KB.
constexpr int kPerCommit = 2048;
constexpr int kBatch = 256;
constexpr int kBatches = 300;
constexpr std::int64_t kFirstSize = 10'000;
constexpr std::int64_t kRowsOfAllActors = 400'000;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

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

void SendRows(transport::TransitionSink& sink, std::int64_t actor, std::int64_t rows) {
  core::Transition row;
  row.actor = core::ActorId(actor);
  row.incarnation = core::Incarnation(1);
  row.features.assign(kFeatures, 0x3c00);
  for (std::int64_t i = 1; i <= rows; ++i) {
    row.sequence = core::Sequence(i);
    if (!sink.Push(row)) std::abort();
  }
  if (!sink.Drain(Clock::now() + std::chrono::minutes(5))) std::abort();
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
  std::vector<std::unique_ptr<transport::ZmqTransitionSink>> sinks;
  for (int i = 0; i < actors; ++i) {
    sinks.push_back(transport::MakeZmqTransitionSink(context));
    sinks.back()->SetEndpoint(source->endpoint());
  }
  const std::int64_t each = kRowsOfAllActors / actors;
  const double cpu = CpuSeconds();
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < actors; ++i)
      threads.emplace_back([&, i] { SendRows(*sinks[static_cast<std::size_t>(i)], i, each); });
  }
  const auto rows = static_cast<double>(each * actors);
  std::printf("actors,%d,%.3f,%.3f\n",
              actors,
              1e6 * SecondsSince(begin) / rows,
              1e6 * (CpuSeconds() - cpu) / rows);
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
