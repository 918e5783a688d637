#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor_loop.h"
#include "actors/episode.h"
#include "core/clock.h"
#include "core/language_model.h"
#include "launch/progress_totals.h"
#include "learner/learner_loop.h"
#include "learner/replay/segment_log.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/in_process.h"

namespace londi::launch {

struct LockStepOptions {
  actors::ActorOptions actor;            // One episode at a time: `episodes` is not read.
  learner::LearnerOptions learner;       // `max_updates` > 0; `rate` and `run` are not read.
  int num_actors = 8;                    // They take turns; exploration is spread over them.
  std::int64_t first_rows = 0;           // Of each actor, before the first update of a run, >= 0.
  std::int64_t rows_per_turn = 2000;     // Of each actor, >= 1.
  std::int64_t updates_per_turn = 1000;  // >= 1
  std::uint64_t seed = 1;
  core::Incarnation incarnation{1};  // Of the first turn's actors; one more for each turn.
};

// Training in turns: the actors act, one after the other and one episode at a time, then the
// learner learns from what there is, publishes and writes a checkpoint, then the actors act with
// that. All objects are those of any run (actor loop, sink, channel, ingest, log, learner), but no
// two work at once, so nothing depends on which thread was faster: with the same seed, machine and
// number of threads a run gives the same numbers, however busy the machine is. A turn ends the
// episode that it falls into.
class LockStep {
 public:
  struct Parts {  // All outlive this object.
    actors::EnvironmentFactory make_environment;
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
    learner::SegmentLog& log;
    transport::InProcessTransitionChannel& transitions;
    transport::InProcessWeightsChannel& weights;
    monitor::Metrics& metrics;
    monitor::Logger logger;
    const core::Clock& clock;
  };
  //   checkpoints, config  as LearnerLoop's
  //   totals               what former lives of the run did
  // Throws as LearnerLoop.
  LockStep(LockStepOptions options,
           Parts parts,
           std::filesystem::path checkpoints,
           std::vector<std::string> config = {},
           ProgressTotals totals = {});

  // Until learner.max_updates, counted over restarts, or RequestStop. Throws what stopped it.
  void Run();

  // Any thread: Run ends after the step or update at hand.
  void RequestStop();
  // Any thread: nobody waits for rows to be taken any more.
  void Abandon();

  // Throws what ended ingest, if anything did, while actors act and so nobody else asks. Any
  // thread.
  void ThrowIfFailed() const;

  ProgressTotals totals() const;  // Any thread.

 private:
  struct Acting {
    actors::ActorLoop& loop;
    transport::TransitionSink& sink;
    core::ActorId actor;
    core::Incarnation incarnation;
  };
  struct Learning {
    learner::LearnerLoop& loop;
    core::Incarnation incarnation;
  };
  template <class Role>
  class AtWork;

  void TakeTurn();
  void Act(core::ActorId actor, core::Incarnation incarnation, std::int64_t rows);
  void CountWork() const;  // Requires mutex_.

  const LockStepOptions options_;
  const Parts parts_;
  const std::filesystem::path checkpoints_;
  const std::vector<std::string> config_;
  std::int64_t updates_ = 0;  // Over restarts. Of Run's thread, like turn_.
  std::int64_t turn_ = 0;

  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  mutable ProgressTotals totals_;     // Guarded by mutex_, as is what follows.
  std::optional<Acting> acting_;      // Whose turn it is ...
  std::optional<Learning> learning_;  // ... and who takes its rows, and learns from them.
};

}  // namespace londi::launch
