// Rows per second into the replay and out of it, beside peers in one run.
//
//   bench_replay [ROWS [CPPRB_PYTHON [TORCHRL_PYTHON]]]
//
// A row is 512 fp16 features and its scalars (1,136 bytes in the log). Inserting is all that the
// learner does with one: the segment log on disk (page cache) with its checksums, and the index of
// priorities. Sampling is 256 rows by priority, gathered as fp32 inputs of the network, and their
// priorities updated. The Pythons have the peers (see replay_cpprb.py, replay_torchrl.py). CSV
// rows, medians over the turns:
//
//   NAME,rows/s inserted (32 at a time),batches/s sampled + gathered + updated,ours in ratio to
//   both
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "learner/batch.h"
#include "learner/replay/replay.h"
#include "tests/bench/learner/bench_rows.h"
#include "tests/bench/support/figures.h"
#include "tests/bench/support/peer_process.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::SecondsSince;

constexpr int kFeatures = 512;
constexpr int kRowsPerMessage = 32;
constexpr int kMessagesPerCommit = 64;  // The ingest commits all that has arrived, up to 8192 rows.
constexpr int kBatch = 256;
constexpr int kBatches = 2000;
constexpr int kRounds = 3;

struct Rates {
  double inserted = 0;  // Rows per second.
  double sampled = 0;   // Batches per second.
};

// Rows are made beforehand, and re-used under new sequence numbers: what is measured is ours. So
// few that they stay in the cache, where a message that was just decoded is, and the peer's rows
// are.
class Feed {
 public:
  explicit Feed(int messages) : messages_(static_cast<std::size_t>(messages)) {
    bench::RowSource source(kFeatures);
    for (auto& message : messages_) {
      message.resize(kRowsPerMessage);
      source.Fill(message);
    }
  }
  const std::vector<core::Transition>& Next() {
    std::vector<core::Transition>& message = messages_[next_++ % messages_.size()];
    for (core::Transition& row : message) {
      row.sequence = core::Sequence(++sequence_);
      row.episode = core::EpisodeId(sequence_ / 24);
      row.step = static_cast<std::int32_t>(sequence_ % 24);
      row.terminated = row.step == 23;
    }
    return message;
  }

 private:
  std::vector<std::vector<core::Transition>> messages_;
  std::size_t next_ = 0;
  std::int64_t sequence_ = 0;
};

Rates Measure(std::int64_t rows) {
  const testing::TempFolder folder;
  learner::SegmentLog log(folder.path(), {});
  learner::Replay replay(log, {.capacity = rows}, /*n_step=*/1);
  Feed feed(8);
  Rates rates;
  auto begin = Clock::now();
  for (std::int64_t messages = 1; log.end() < rows; ++messages) {
    log.Append(feed.Next());
    if (messages % kMessagesPerCommit == 0) log.Commit();
    replay.CatchUp(log.end());
  }
  rates.inserted = static_cast<double>(log.end()) / SecondsSince(begin);

  learner::Random random(1);
  learner::Replay::Samples samples;
  learner::Batch batch;
  std::vector<float> errors(kBatch);
  // A row and its successor, which the peer stores and gathers, too.
  learner::BatchOptions options{.batch_size = kBatch, .agreement_rows = false};
  begin = Clock::now();
  for (int i = 0; i < kBatches; ++i) {
    replay.Sample(kBatch, 0.4, random, samples);
    learner::MakeBatch(replay, samples, options, random, batch);
    for (float& error : errors) error = static_cast<float>(random.Uniform());
    replay.UpdatePriorities(samples.rows, errors);
  }
  rates.sampled = kBatches / SecondsSince(begin);
  return rates;
}

struct Peer {
  const char* name;
  const char* script;
  std::string python;
  std::vector<double> inserted = {}, sampled = {}, of_inserted = {}, of_sampled = {};

  void Measure(std::int64_t rows, const Rates& ours) {
    // A process of its own each time: its memory is as fresh as ours.
    const std::vector<double> rates =
        bench::PeerProcess({python, std::string(LONDI_BENCH_SOURCE) + "/" + script})
            .Ask(std::to_string(rows));
    inserted.push_back(rates.at(0));
    sampled.push_back(rates.at(1));
    of_inserted.push_back(ours.inserted / rates[0]);
    of_sampled.push_back(ours.sampled / rates[1]);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  std::vector<Peer> peers;
  if (argc > 2) peers.push_back({"cpprb", "replay_cpprb.py", argv[2]});
  if (argc > 3) peers.push_back({"torchrl", "replay_torchrl.py", argv[3]});
  std::vector<double> inserted, sampled;
  for (int round = 0; round < kRounds; ++round) {
    const Rates ours = Measure(rows);
    inserted.push_back(ours.inserted);
    sampled.push_back(ours.sampled);
    for (Peer& peer : peers) peer.Measure(rows, ours);
  }
  std::printf("londi,%.0f,%.0f\n", bench::Median(inserted), bench::Median(sampled));
  for (const Peer& peer : peers) {
    std::printf("%s,%.0f,%.0f,%.2f,%.2f\n",
                peer.name,
                bench::Median(peer.inserted),
                bench::Median(peer.sampled),
                bench::Median(peer.of_inserted),
                bench::Median(peer.of_sampled));
  }
}
