#include "launch/in_process_job.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <utility>

#include "actors/worker_threads.h"
#include "core/error.h"
#include "launch/metrics_writer.h"
#include "launch/progress_totals.h"
#include "launch/train_run.h"
#include "launch/wiring.h"
#include "learner/learner_loop.h"
#include "learner/replay/segment_log.h"
#include "transport/in_process.h"
#include "transport/registry_types.h"
#include "transport/rendezvous.h"

namespace londi::launch {
namespace {

class InProcessJob final : public Job {
 public:
  InProcessJob(const ProcessJobParts& parts, const InProcessWorld& world)
      : parts_(parts),
        incarnation_(transport::FirstIncarnation(
            transport::BeginEpoch(parts.folder.coordinator_state()).epoch)),
        metrics_writer_(
            parts.folder.metrics(), "all", world.metrics, parts.config.run.metrics_every),
        log_(parts.folder.transitions(), parts.config.transition_log),
        transitions_({}, log_.watermarks()),
        learner_(LearnerOptionsOf(parts.config, ReadTrained(parts.folder).time),
                 {.log = log_,
                  .source = transitions_,
                  .weights = weights_,
                  .metrics = world.metrics,
                  .logger = parts.logger,
                  .clock = parts.clock},
                 parts.folder.checkpoints(),
                 configs::ToLines(parts.config)),
        actor_threads_([this] { parts_.signals.WakeUp(); }),
        learner_thread_([this] { parts_.signals.WakeUp(); }) {
    totals_ = ReadTotals(parts_.folder);
    learner_.Restore();
    for (int i = 0; i < parts_.config.run.num_actors; ++i) AddActor(i, world);
    learner_thread_.Start("learner", [this] { learner_.Run(); });
    for (auto& actor : actors_) {
      actor_threads_.Start("actor", [&loop = *actor.loop] { loop.Run(); });
    }
  }

  ~InProcessJob() override {
    for (auto& actor : actors_) actor.loop->RequestStop();
    for (auto& actor : actors_) actor.sink->Close();
    learner_.RequestStop();
  }

  // A role that returned before it was asked to has failed; one is enough.
  void Poll() override {
    actor_threads_.ThrowIfFailed();
    learner_thread_.ThrowIfFailed();
    const bool may_learner_end = parts_.config.learner.max_updates > 0;
    const bool actor_ended = actor_threads_.HasAnyEnded();
    if (!actor_ended && (may_learner_end || !learner_thread_.HasAnyEnded())) return;
    throw core::Error({.what = actor_ended ? "an actor ended early" : "the learner ended early",
                       .why = "nobody asked it to",
                       .fix = fmt::format("see {}", parts_.folder.logs().string())});
  }

  ProgressSample Progress() override {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      totals_.Update(
          fmt::format("actor.{}", i), incarnation_, Counters(actors_[i].loop->progress()));
    }
    totals_.Update("learner", incarnation_, Counters(*learner_.progress()));
    return Sample(totals_);
  }

  void Stop(const Hurry& hurry) override {
    for (auto& actor : actors_) actor.loop->RequestStop();
    Wait(actor_threads_, hurry);
    learner_.RequestStop();
    Wait(learner_thread_, hurry);
    Progress();
    WriteFileAtomically(parts_.folder.progress(), totals_.ToJson());
  }

 private:
  struct Actor {
    std::unique_ptr<transport::TransitionSink> sink;
    std::unique_ptr<actors::ActorLoop> loop;
  };

  void AddActor(int index, const InProcessWorld& world) {
    Actor actor{.sink = transitions_.MakeSink()};
    actor.loop = std::make_unique<actors::ActorLoop>(
        ActorOptionsOf(parts_.config),
        IdentityOf(parts_.config, core::ActorId(index), incarnation_),
        actors::ActorLoop::Parts{.make_environment = world.make_environment,
                                 .quick = world.quick,
                                 .deepthink = world.deepthink,
                                 .sink = *actor.sink,
                                 .weights = weights_,
                                 .metrics = world.metrics,
                                 .logger = parts_.logger,
                                 .clock = parts_.clock});
    actors_.push_back(std::move(actor));
  }

  // Threads cannot be killed: after the drain time, or on `hurry`, the channels are closed, which
  // wakes whoever still waits.
  void Wait(actors::WorkerThreads& threads, const Hurry& hurry) {
    const core::TimePoint deadline = parts_.clock.Now() + parts_.config.run.drain;
    while (!threads.WaitUntil(parts_.clock.Now() + std::chrono::milliseconds(50))) {
      if (parts_.clock.Now() < deadline && !hurry()) continue;
      for (auto& actor : actors_) actor.sink->Close();
      break;
    }
    threads.Join();
  }

  const ProcessJobParts parts_;
  const core::Incarnation incarnation_;
  MetricsWriter metrics_writer_;
  ProgressTotals totals_;
  learner::SegmentLog log_;
  transport::InProcessTransitionChannel transitions_;
  transport::InProcessWeightsChannel weights_;
  std::vector<Actor> actors_;
  learner::LearnerLoop learner_;
  actors::WorkerThreads actor_threads_;  // Threads last: they use what stands above.
  actors::WorkerThreads learner_thread_;
};

}  // namespace

std::unique_ptr<Job> StartInProcessJob(const ProcessJobParts& parts, const InProcessWorld& world) {
  return std::make_unique<InProcessJob>(parts, world);
}

}  // namespace londi::launch
