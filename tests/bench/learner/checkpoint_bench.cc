// What rows that arrive notice of a checkpoint: how long they wait for their acknowledgement while
// a learner trains, without checkpoints and with one a second, in turns.
//
//   bench_checkpoint FOLDER [ROWS [SECONDS [ROUNDS]]]     FOLDER: needs 1.1 KB a row and 1 GB more
//
// CSV rows: with or without,checkpoints,the longest's s,messages,ms at the median,ms p99,ms p100
//   32 rows a message, one every 5 ms, and not before the one before was acknowledged by the log
//   (page cache)
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "learner/learner_loop.h"
#include "tests/bench/learner/bench_rows.h"
#include "tests/bench/support/figures.h"
#include "transport/in_process.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::SecondsSince;

constexpr int kFeatures = 448;  // Rows of about 1 KB.
constexpr std::int64_t kPerMessage = 32;
constexpr std::chrono::milliseconds kMessageEvery{5};

void FillLog(learner::SegmentLog& log, std::int64_t rows) {
  bench::RowSource source(kFeatures);
  std::vector<core::Transition> some(2048);
  while (log.end() < rows) {
    source.Fill(some);
    log.Append(some);
    log.Commit();
  }
}

// Rows of a stream of their own, one message after the other.
class Sender {
 public:
  Sender(transport::InProcessTransitionChannel& channel, std::int64_t incarnation)
      : sink_(channel.MakeSink()), incarnation_(incarnation), rows_(kPerMessage) {
    source_.Fill(rows_);
  }

  // Milliseconds from handing over a message's first row to the acknowledgement of its last.
  double Send() {
    const auto begin = Clock::now();
    for (core::Transition row : rows_) {
      row.actor = core::ActorId(2);
      row.incarnation = core::Incarnation(incarnation_);
      row.sequence = core::Sequence(++sequence_);
      row.episode = core::EpisodeId(sequence_ / 24);
      row.step = static_cast<std::int32_t>(sequence_ % 24);
      row.terminated = row.step == 23;
      if (!sink_->Push(std::move(row))) std::abort();
    }
    if (!sink_->Drain(Clock::now() + std::chrono::minutes(1))) std::abort();
    return 1e3 * SecondsSince(begin);
  }

 private:
  std::unique_ptr<transport::TransitionSink> sink_;
  const std::int64_t incarnation_;
  bench::RowSource source_{kFeatures};
  std::vector<core::Transition> rows_;
  std::int64_t sequence_ = 0;
};

void Measure(learner::SegmentLog& log,
             const std::filesystem::path& checkpoints,
             std::int64_t life,
             bool with_checkpoints,
             double seconds) {
  monitor::Metrics metrics;
  transport::InProcessTransitionChannel source;
  transport::InProcessWeightsChannel weights;
  const core::SystemClock clock;
  learner::LearnerOptions options;
  options.device = "cpu";
  options.threads = 1;
  options.rate.slack = 1e12;  // Neither side waits for the other.
  options.replay.capacity = 2 * log.end();
  options.checkpoint_every = with_checkpoints ? std::chrono::seconds(1) : std::chrono::hours(1);
  learner::LearnerLoop loop(
      options, {log, source, weights, metrics, monitor::MakeNullLogger(), clock}, checkpoints, {});
  loop.Restore();
  std::set<double> durations;  // Of checkpoints, s.
  std::vector<double> times;   // Of messages, ms.
  {
    const std::jthread learning([&loop] { loop.Run(); });
    Sender sender(source, life);
    sender.Send();
    const double before = metrics.Sum("londi_learner_checkpoint_seconds");
    const auto begin = Clock::now();
    for (auto next = begin; SecondsSince(begin) < seconds; next += kMessageEvery) {
      std::this_thread::sleep_until(next);
      times.push_back(sender.Send());
      const double last = metrics.Sum("londi_learner_checkpoint_seconds");
      if (last != before) durations.insert(last);
    }
    loop.RequestStop();
  }
  std::printf("%s,%zu,%.3f,%zu,%.3f,%.3f,%.3f\n",
              with_checkpoints ? "with" : "without",
              durations.size(),
              durations.empty() ? 0 : *durations.rbegin(),
              times.size(),
              bench::Median(times),
              bench::Quantile(times, 0.99),
              bench::Quantile(times, 1));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_checkpoint FOLDER [ROWS [SECONDS [ROUNDS]]]\n");
    return 2;
  }
  const std::filesystem::path folder = std::filesystem::path(argv[1]) / "checkpoint";
  const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : 1'000'000;
  const double seconds = argc > 3 ? std::atof(argv[3]) : 20;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 3;
  {
    learner::SegmentLog log(folder / "log", {});
    FillLog(log, rows);
    for (int life = 1; life <= 2 * rounds; ++life)
      Measure(log, folder / "checkpoints", life, life % 2 == 0, seconds);
  }
  std::filesystem::remove_all(folder);
}
