#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "actors/actor_loop.h"
#include "actors/episode.h"
#include "core/clock.h"
#include "core/language_model.h"
#include "learner/learner_loop.h"
#include "learner/segment_log.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "tests/support/temp_folder.h"
#include "transport/in_process.h"

namespace londi::testing {

// Refuses rows after a number of them, which ends an actor at an exact place.
class LimitedSink final : public transport::TransitionSink {
 public:
  LimitedSink(std::unique_ptr<transport::TransitionSink> sink, std::int64_t rows)
      : sink_(std::move(sink)), left_(rows) {}

  bool Push(core::Transition row) override { return left_-- > 0 && sink_->Push(std::move(row)); }
  void StartDraining() override { sink_->StartDraining(); }
  bool Drain(core::TimePoint deadline) override { return sink_->Drain(deadline); }
  transport::SinkStatus status() const override { return sink_->status(); }
  void Close() override { sink_->Close(); }

 private:
  const std::unique_ptr<transport::TransitionSink> sink_;
  std::int64_t left_;
};

// A whole training in one process with the objects of a run, but in turns instead of at once: the
// actors act (ActorLoop -> sink -> channel -> ingest -> log), then the learner learns (LearnerLoop,
// from the checkpoint it wrote last) and publishes, then the actors act with that. So it is the
// same on a slow and on a busy machine.
struct RoundsOptions {
  actors::ActorOptions actor;  // One episode at a time: `episodes` is 1.
  learner::LearnerOptions learner;
  int rounds = 10;
  int num_actors = 8;  // They take turns; exploration is spread over them.
  std::int64_t rows_per_turn = 2000;
  std::int64_t updates_per_round = 1000;
  std::uint64_t seed = 1;
};

class InProcessRounds {
 public:
  struct Parts {  // All outlive this object.
    actors::EnvironmentFactory make_environment;
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
  };
  InProcessRounds(RoundsOptions options, Parts parts)
      : options_(std::move(options)), parts_(std::move(parts)) {}

  // Returns the last weights.
  std::shared_ptr<const core::WeightsSnapshot> Run() {
    for (int round = 1; round <= options_.rounds; ++round) {
      learner::LearnerOptions options = options_.learner;
      options.seed = options_.seed;
      options.max_updates = round * options_.updates_per_round;
      learner::LearnerLoop learner(options,
                                   {.log = log_,
                                    .source = transitions_,
                                    .weights = weights_,
                                    .metrics = metrics_,
                                    .logger = monitor::MakeNullLogger(),
                                    .clock = clock_},
                                   folder_ / "checkpoints",
                                   {});
      for (int actor = 0; actor < options_.num_actors; ++actor) Act(actor, round);
      learner.Run();
    }
    return weights_.Latest();
  }

 private:
  void Act(int actor, int round) {
    LimitedSink sink(transitions_.MakeSink(), options_.rows_per_turn);
    actors::ActorOptions options = options_.actor;
    options.episodes = 1;
    actors::ActorLoop loop(options,
                           {.run_seed = options_.seed,
                            .actor = core::ActorId(actor),
                            .incarnation = core::Incarnation(round),
                            .num_actors = options_.num_actors},
                           {.make_environment = parts_.make_environment,
                            .quick = parts_.quick,
                            .deepthink = parts_.deepthink,
                            .sink = sink,
                            .weights = weights_,
                            .metrics = metrics_,
                            .logger = monitor::MakeNullLogger(),
                            .clock = clock_});
    loop.Run();
  }

  const RoundsOptions options_;
  const Parts parts_;
  const core::SystemClock clock_;
  const TempFolder folder_;
  monitor::Metrics metrics_;
  learner::SegmentLog log_{folder_ / "log", {}};
  transport::InProcessTransitionChannel transitions_;
  transport::InProcessWeightsChannel weights_;
};

}  // namespace londi::testing
