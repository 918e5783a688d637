#include <spdlog/spdlog.h>

#include <functional>

#include "launch/cuda_plugin.h"
#include "launch/progress_totals.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "launch/train_run.h"
#include "launch/wiring.h"
#include "learner/learner_loop.h"
#include "learner/matrix_products.h"
#include "transport/zmq_transitions.h"
#include "transport/zmq_weights.h"

namespace londi::launch {
namespace {

// What the coordinator adds up; nothing while it is not known.
transport::ProgressCounters CountersOf(const learner::LearnerLoop& loop) {
  const auto progress = loop.progress();
  return progress ? Counters(*progress) : transport::ProgressCounters{};
}

// Renews the lease with the loop's progress while the loop has a pulse, and hands the wish to end
// on to it.
std::function<void()> Heartbeat(RoleProcess& process, learner::LearnerLoop& loop) {
  return [&process, &loop, felt = std::int64_t{-1}]() mutable {
    if (process.ShouldStop()) loop.RequestStop();
    const std::int64_t pulse = loop.pulse();
    if (pulse != felt) process.registry().Report(CountersOf(loop));
    felt = pulse;
  };
}

}  // namespace

int RunLearner(const std::filesystem::path& run_folder) {
  RoleProcess process(run_folder, {.name = "learner", .role = transport::Role::kLearner}, {});
  RoleBasics& basics = process.basics();
  LoadCudaFor(basics.config.learner.device, basics.logger);
  learner::ChooseMatrixProducts();
  learner::SegmentLog log(basics.folder.transitions(), basics.config.transition_log);
  const transport::ChannelContext channels = process.channels();
  const auto source = transport::MakeZmqTransitionSource(channels, {}, log.watermarks());
  const auto publisher = transport::MakeZmqWeightsPublisher(channels);
  const core::SystemClock clock;
  learner::LearnerLoop loop(LearnerOptionsOf(basics.config, ReadTrained(basics.folder).time),
                            {.log = log,
                             .source = *source,
                             .weights = *publisher,
                             .metrics = basics.metrics,
                             .logger = basics.logger,
                             .clock = clock},
                            basics.folder.checkpoints(),
                            configs::ToLines(basics.config));
  // Actors hand over what their spools hold while the checkpoint is restored.
  process.registry().Announce(
      {{transport::kTransitionsEndpoint, source->endpoint()},
       {transport::kWeightsAnnounceEndpoint, publisher->announce_endpoint()},
       {transport::kWeightsPullEndpoint, publisher->pull_endpoint()}});
  basics.logger->info("takes rows behind the {} of the log", log.end());

  process.DoWithHeartbeat([&loop] { loop.Run(); }, Heartbeat(process, loop));
  while (!process.ShouldStop()) {  // After max_updates: rows are taken until the run ends.
    process.registry().Report(CountersOf(loop));
    process.WaitForHeartbeat();
    loop.ThrowIfFailed();
  }
  process.registry().Report(CountersOf(loop));
  process.registry().Leave();
  return 0;
}

}  // namespace londi::launch
