#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "actors/episode.h"
#include "core/clock.h"
#include "core/language_model.h"
#include "launch/lock_step.h"
#include "learner/replay/segment_log.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "tests/support/temp_folder.h"
#include "transport/in_process.h"

namespace londi::testing {

// A whole training in turns (launch/lock_step.h), so that it is the same on a slow and on a busy
// machine.
class InProcessRounds {
 public:
  struct Parts {  // All outlive this object.
    actors::EnvironmentFactory make_environment;
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
  };
  InProcessRounds(launch::LockStepOptions options, Parts parts)
      : lock_step_(std::move(options),
                   {.make_environment = std::move(parts.make_environment),
                    .quick = parts.quick,
                    .deepthink = parts.deepthink,
                    .log = log_,
                    .transitions = transitions_,
                    .weights = weights_,
                    .metrics = metrics_,
                    .logger = monitor::MakeNullLogger(),
                    .clock = clock_},
                   folder_ / "checkpoints") {}

  // Returns the last weights.
  std::shared_ptr<const core::WeightsSnapshot> Run() {
    lock_step_.Run();
    return weights_.Latest();
  }

 private:
  const core::SystemClock clock_;
  const TempFolder folder_;
  monitor::Metrics metrics_;
  learner::SegmentLog log_{folder_ / "log", {}};
  transport::InProcessTransitionChannel transitions_;
  transport::InProcessWeightsChannel weights_;
  launch::LockStep lock_step_;
};

}  // namespace londi::testing
