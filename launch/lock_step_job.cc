#include "launch/lock_step_job.h"

#include <algorithm>
#include <cmath>

#include "actors/worker_threads.h"
#include "launch/lock_step.h"
#include "launch/metrics_writer.h"
#include "launch/progress_totals.h"
#include "launch/wiring.h"
#include "learner/replay/segment_log.h"
#include "transport/in_process.h"
#include "transport/rendezvous.h"

namespace londi::launch {
namespace {

// As many actors as a run at once has episodes side by side, and as many rows as its rate limiter
// would have let in.
LockStepOptions OptionsOf(const configs::RunConfig& config, core::Incarnation incarnation) {
  LockStepOptions options{.actor = ActorOptionsOf(config),
                          .learner = LearnerOptionsOf(config, std::chrono::milliseconds(0)),
                          .num_actors = config.run.num_actors * config.actor.episodes,
                          .updates_per_turn = config.run.lock_step,
                          .seed = config.run.seed,
                          .incarnation = incarnation};
  const auto of_each = [&](double rows) {
    return static_cast<std::int64_t>(std::ceil(rows / options.num_actors));
  };
  const learner::RateLimiterOptions& rate = config.learner.rate;
  options.first_rows = of_each(static_cast<double>(rate.min_rows));
  options.rows_per_turn = of_each(static_cast<double>(config.run.lock_step) *
                                  config.learner.batch.batch_size / rate.samples_per_row);
  return options;
}

class LockStepJob final : public Job {
 public:
  LockStepJob(const ProcessJobParts& parts, const InProcessWorld& world)
      : parts_(parts),
        metrics_writer_(
            parts.folder.metrics(), "all", world.metrics, parts.config.run.metrics_every),
        log_(parts.folder.transitions(), parts.config.transition_log),
        transitions_({}, log_.watermarks()),
        lock_step_(OptionsOf(parts.config,
                             transport::FirstIncarnation(
                                 transport::BeginEpoch(parts.folder.coordinator_state()).epoch)),
                   {.make_environment = world.make_environment,
                    .quick = world.quick,
                    .deepthink = world.deepthink,
                    .log = log_,
                    .transitions = transitions_,
                    .weights = weights_,
                    .metrics = world.metrics,
                    .logger = parts.logger,
                    .clock = parts.clock},
                   parts.folder.checkpoints(),
                   configs::ToLines(parts.config),
                   ReadTotals(parts.folder)),
        thread_([this] { parts_.signals.WakeUp(); }) {
    thread_.Start("turns", [this] { lock_step_.Run(); });
  }

  ~LockStepJob() override {
    lock_step_.RequestStop();
    lock_step_.Abandon();
  }

  void Poll() override {
    thread_.ThrowIfFailed();
    lock_step_.ThrowIfFailed();
  }

  ProgressSample Progress() override { return Sample(lock_step_.totals()); }

  void Stop(const Hurry& hurry) override {
    lock_step_.RequestStop();
    while (!thread_.WaitUntil(parts_.clock.Now() + std::chrono::milliseconds(50))) {
      if (hurry()) lock_step_.Abandon();
    }
    thread_.Join();
    WriteFileAtomically(parts_.folder.progress(), lock_step_.totals().ToJson());
  }

 private:
  const ProcessJobParts parts_;
  MetricsWriter metrics_writer_;
  learner::SegmentLog log_;
  transport::InProcessTransitionChannel transitions_;
  transport::InProcessWeightsChannel weights_;
  LockStep lock_step_;
  actors::WorkerThreads thread_;  // Last: it uses what stands above.
};

}  // namespace

std::unique_ptr<Job> StartLockStepJob(const ProcessJobParts& parts, const InProcessWorld& world) {
  return std::make_unique<LockStepJob>(parts, world);
}

}  // namespace londi::launch
