#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "actors/boundaries.h"
#include "actors/branching.h"
#include "actors/episode.h"
#include "actors/switching/exploring_switcher.h"
#include "actors/switching/make_switcher.h"
#include "actors/training_terms.h"
#include "actors/transition_writer.h"
#include "core/language_model.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/channel.h"

namespace londi::actors {

struct ActorOptions {
  std::int32_t episodes = 16;  // Concurrent ones, a thread each, 1..1024.
  SwitcherOptions switcher;
  ExplorationOptions exploration;
  BranchingOptions branching;
  BoundaryOptions boundaries;
  TermsOptions terms;
  std::chrono::milliseconds lm_timeout{30'000};  // Each LM request is answered by then, > 0.
  std::int32_t max_failed_episodes = 10;    // In a row, of one thread, for want of an LM, >= 1.
  std::chrono::milliseconds drain{10'000};  // After a stop: rows reach the learner by then.
  void Validate() const;                    // Throws core::ConfigError.
};

// Who this actor is in the run.
struct ActorIdentity {
  std::uint64_t run_seed = 1;
  core::ActorId actor;
  core::Incarnation incarnation{1};
  std::int32_t num_actors = 1;  // Exploration is spread over num_actors * episodes slots.
};

struct ActorCounters;

// Sums since the start.
struct ActorProgress {
  std::int64_t decisions = 0;
  std::int64_t boundary_decisions = 0;  // Of these, the boundary policies': they are no rows.
  std::int64_t episodes = 0;            // Finished ones, without the boundaries'.
  std::int64_t successes = 0;           // Terminated with a reward > 0.
  std::int64_t deepthink_calls = 0;
  std::int64_t changed_actions = 0;    // Calls that changed the action.
  std::int64_t failed_episodes = 0;    // Left because an LM did not answer.
  std::int64_t refused_calls = 0;      // Would have cost more than was left of the budget.
  std::int64_t overrun_calls = 0;      // Cost more than was reserved: must stay 0.
  std::int64_t budget_violations = 0;  // Episodes that spent more than their budget: must stay 0.
  core::WeightsVersion weights;        // Newest that a decision was made with.

  // Where the decisions' time went, seconds summed over the threads.
  double env_seconds = 0;
  double quick_seconds = 0;
  double switcher_seconds = 0;
  double deepthink_seconds = 0;
  double write_seconds = 0;
};

// The actors of one process: `episodes` threads, each acting out one episode after the other with
// its own environment and its own Switcher. Rows go to the sink as they are made; new weights are
// taken between two decisions.
class ActorLoop {
 public:
  struct Parts {                          // All outlive the loop.
    EnvironmentFactory make_environment;  // Called by each thread, once.
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
    transport::TransitionSink& sink;
    transport::WeightsSubscriber& weights;
    monitor::Metrics& metrics;
    monitor::Logger logger;
    const core::Clock& clock;
  };
  ActorLoop(const ActorOptions& options, const ActorIdentity& identity, Parts parts);
  ~ActorLoop();

  // Acts until RequestStop, leaves the episodes where they are, and waits until the learner has
  // every row; what still blocks after `drain` is freed by closing the sink. The first exception of
  // any thread stops all and is rethrown.
  void Run();

  void RequestStop() { stopping_ = true; }  // Any thread, signal handlers included.

  ActorProgress progress() const;  // Any thread.

  // Rises about every 50 ms while Run acts and any episode gets on. Waiting counts as getting on,
  // for an LM (until its deadline) and for room in the sink. It stands still when all episodes hang
  // in their environments: a heartbeat that follows it is true. Any thread.
  std::int64_t pulse() const { return pulse_; }

 private:
  class Worker;
  class WatchedLm;

  void FeelPulse();

  const ActorOptions options_;
  const ActorIdentity identity_;
  Parts parts_;
  TransitionWriter writer_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> next_episode_ = 0;
  std::atomic<std::int64_t> moves_ = 0;        // Of all episodes.
  std::atomic<std::int32_t> num_waiting_ = 0;  // Threads that wait for somebody else.
  std::int64_t moves_felt_ = 0;
  std::atomic<std::int64_t> pulse_ = 0;
  std::unique_ptr<ActorCounters> counters_;
};

}  // namespace londi::actors
