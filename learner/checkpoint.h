#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/replay/random.h"
#include "learner/replay/replay.h"
#include "monitor/log.h"
#include "transport/stream_watermarks.h"

namespace londi::learner {

// All of a training but the rows, which the log keeps.
struct Checkpoint {
  std::int64_t updates = 0;
  std::int64_t sampled = 0;      // Rows drawn so far: the rate limiter's counter.
  core::WeightsVersion weights;  // The next to be published.
  Random::State random{};
  Replay::State replay;
  AlgorithmState algorithm;
  int num_features = 0;
  transport::StreamWatermarks::Snapshot watermarks;  // Of the rows below replay.end.
  std::vector<SegmentLog::Segment> segments;         // The log's manifest then.
  // The resolved configuration as "key = value" lines, to tell what differs at a restore; written
  // with its hash.
  std::vector<std::string> config;
};

// Numbered checkpoints "checkpoint-<updates>" in one folder and the file LATEST that names the
// newest. A checkpoint is written under another name, forced to disk and renamed; one of the same
// number steps aside first and is deleted last. So whatever kill comes, each checkpoint is there
// whole or not at all, and the newest never gets lost. One process writes, any may read. Not
// thread-safe.
class CheckpointStore {
 public:
  // Keeps the newest `keep` >= 1. Throws core::IoError when the folder cannot be made or written.
  CheckpointStore(std::filesystem::path folder, int keep, monitor::Logger logger);

  // Throws core::IoError; core::NoRoomError leaves what was there before, and nothing more.
  void Write(const Checkpoint& checkpoint);

  // The newest one that is whole; torn ones are skipped with a warning. nullopt: there is none.
  // Throws core::ModelError when there are checkpoints and none can be read.
  std::optional<Checkpoint> ReadLatest() const;

  // Oldest row that a kept checkpoint may refer to; nullopt without checkpoints.
  std::optional<std::int64_t> OldestRowNeeded() const;

 private:
  const std::filesystem::path folder_;
  const int keep_;
  monitor::Logger logger_;
};

// What is known about a checkpoint on disk.
struct CheckpointSummary {
  std::filesystem::path folder;
  std::uintmax_t bytes = 0;  // Of all its files.
  std::string problem;       // Why it cannot be restored; empty: it is whole. Then also:
  std::int64_t updates = 0;
  core::WeightsVersion weights;  // The next to be published.
  std::string architecture;
  std::int64_t parameters = 0;   // Numbers in its arrays, optimizer and target network included.
  std::int64_t replay_rows = 0;  // Rows of the log that it samples from: up to replay_end.
  std::int64_t replay_end = 0;
  std::vector<std::string> config;  // As in Checkpoint.
};

// Reads every checkpoint in `folder` to its end, newest first; changes nothing. Empty where there
// is no such folder.
std::vector<CheckpointSummary> InspectCheckpoints(const std::filesystem::path& folder);

// "key: 3 -> 4" for every key whose value differs, "key: (absent) -> 4" and "key: 3 -> (absent)".
std::vector<std::string> ConfigDifferences(const std::vector<std::string>& before,
                                           const std::vector<std::string>& now);

}  // namespace londi::learner
