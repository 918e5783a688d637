#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "learner/algorithms/make_algorithm.h"
#include "learner/batch.h"
#include "learner/checkpoint.h"
#include "learner/replay/ingest.h"
#include "learner/replay/rate_limiter.h"
#include "learner/replay/replay.h"
#include "learner/replay/rollout.h"
#include "learner/replay/segment_log.h"
#include "learner/run_length.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/channel.h"

namespace londi::learner {

struct LearnerOptions {
  AlgorithmOptions algorithm;
  BatchOptions batch;
  int n_step = 3;  // 1..kMaxSteps
  ReplayOptions replay;
  RolloutOptions rollout;  // Of on-policy algorithms, in place of draws from the replay.
  RateLimiterOptions rate;
  IngestOptions ingest;

  // 0 = learn it from the first row; else weights are published before any row arrives.
  int num_features = 0;
  std::string device = "auto";  // auto, cpu, cuda
  int threads = 0;              // CPU threads of an update; 0 = leave the process's setting alone.
  std::uint64_t seed = 1;
  // Run returns after that many, counted over restarts; 0 = when stopped.
  std::int64_t max_updates = 0;
  RunLength run;  // What the step size goes by.
  // Updates between published weights, >= 1. On-policy algorithms publish after every rollout.
  std::int64_t publish_every = 20;
  std::chrono::seconds checkpoint_every{60};  // >= 1 s; one more is written when Run returns.
  int checkpoints_kept = 3;                   // >= 1
  void Validate() const;                      // Throws core::ConfigError.
};

// For heartbeats and the progress line.
struct LearnerProgress {
  std::int64_t rows = 0;     // In the log.
  std::int64_t updates = 0;  // Over restarts.
  core::WeightsVersion weights;
  double loss_return = 0;
  double loss_calls = 0;
  double updates_per_second = 0;  // Over the last second or so.
  double waiting_share = 0;       // Of that time spent waiting for rows, 0..1.
};

inline constexpr std::int64_t kVersionsPerLife = 1'000'000;

// The learner of a run: rows in, weights out.
//
//   1 Sample  2 Update  3 Publish  4 Checkpoint  5 Metrics
//
// Construction starts ingest: rows are taken and acknowledged from then on, which needs the log and
// no checkpoint. Restore opens the newest checkpoint, publishes weights and writes a checkpoint.
// Versions of weights grow over restarts: each life of the learner begins at the next multiple of
// kVersionsPerLife, so whatever a killed one had published is older.
class LearnerLoop {
 public:
  struct Parts {  // All outlive the loop.
    SegmentLog& log;
    transport::TransitionSource& source;
    transport::WeightsPublisher& weights;
    monitor::Metrics& metrics;
    monitor::Logger logger;
    const core::Clock& clock;
  };
  // `checkpoints`: their folder. `config`: resolved configuration as "key = value" lines, kept in
  // each checkpoint. Throws core::ConfigError, core::IoError.
  LearnerLoop(LearnerOptions options,
              Parts parts,
              std::filesystem::path checkpoints,
              std::vector<std::string> config);
  ~LearnerLoop();

  // Once, and before Run, which does it where nobody did: for who needs the weights, or the error,
  // before there is a thread that runs. Throws core::IoError, core::ModelError (checkpoint of
  // another architecture or number of features).
  void Restore();

  // Trains until RequestStop or max_updates, writes a checkpoint and publishes the last weights.
  // Ingest goes on, so that actors can empty their spools, until this object is destroyed. Throws
  // what stopped it.
  void Run();

  void RequestStop() { stopping_ = true; }  // Any thread, signal handlers included.

  // Throws what ended ingest, if anything did; Run does so too, while it runs. Any thread.
  void ThrowIfFailed() const { ingest_.ThrowIfFailed(); }

  // nullopt before Restore has ended: what former lives did is not known yet. Any thread.
  std::optional<LearnerProgress> progress() const;

  // Rises with every round of Run, which is at least every 50 ms where there is nothing to learn,
  // and while Restore gets on: a heartbeat that follows it is true. Any thread.
  std::int64_t pulse() const { return pulse_; }

  // What differs from the configuration of the restored checkpoint; empty also when nothing was
  // restored. As the next one, after Restore.
  const std::vector<std::string>& config_differences() const { return config_differences_; }
  std::optional<std::int64_t> restored_updates() const { return restored_updates_; }

 private:
  void SayHowTheLogWasFound() const;
  void GoOnFrom(const Checkpoint& checkpoint);
  bool FindRows();
  void BuildAlgorithm(int num_features);
  bool WaitUntilMaySample();
  void Sample();
  void Update();
  void Publish();
  void WriteCheckpoint();
  void WriteCheckpointIfThereIsRoom();
  void UpdateMetrics();
  bool IsDone() const;

  const LearnerOptions options_;
  Parts parts_;
  const std::vector<std::string> config_;
  const std::string device_;
  const RateLimiter limiter_;
  CheckpointStore checkpoints_;
  const std::int64_t rows_found_;  // In the log, when this life began ...
  const core::TimePoint began_;    // ... which was then.
  Replay replay_;
  Random random_;
  std::optional<Rollout> rollout_;        // Of on-policy algorithms.
  std::unique_ptr<Algorithm> algorithm_;  // nullptr until num_features is known.
  Replay::Samples samples_;
  Batch batch_;
  UpdateResult last_;

  std::atomic<std::int64_t> pulse_ = 0;
  // Until a checkpoint says it: as if as much had been sampled as the rows there allow.
  std::atomic<std::int64_t> sampled_;
  std::int64_t updates_ = 0;
  core::WeightsVersion next_version_;
  std::int64_t updates_at_checkpoint_ = -1;
  core::TimePoint last_checkpoint_;
  std::vector<std::string> config_differences_;
  std::optional<std::int64_t> restored_updates_;

  // Since the last UpdateMetrics.
  core::TimePoint metrics_at_;
  std::int64_t updates_then_ = 0;
  core::Duration waited_{0};
  struct Instruments;
  std::unique_ptr<Instruments> instruments_;

  mutable std::mutex progress_mutex_;
  LearnerProgress progress_;  // Guarded by progress_mutex_, as is the next.
  bool is_restored_ = false;

  std::atomic<bool> stopping_ = false;
  Ingest ingest_;  // Last: its thread uses what stands above.
};

}  // namespace londi::learner
