#pragma once

#include <chrono>
#include <memory>

#include "actors/actor_loop.h"
#include "actors/episode.h"
#include "configs/run_config.h"
#include "core/weights.h"
#include "inference/inference_server.h"
#include "launch/run_folder.h"
#include "learner/learner_loop.h"
#include "monitor/log.h"
#include "transport/registry_types.h"

// Where a configuration becomes objects: the one place that knows all owners' types. Used by the
// roles (one process each) and by in_process_job.h (all in one process).
namespace londi::launch {

actors::EnvironmentFactory MakeEnvironmentFactory(const configs::EnvironmentChoice& environment);

actors::ActorIdentity IdentityOf(const configs::RunConfig& config,
                                 core::ActorId actor,
                                 core::Incarnation incarnation);

// Whether both tiers name a model folder, so that a run is not begun in vain; the models themselves
// are read by the workers. Throws core::ModelError.
void CheckModels(const configs::RunConfig& config);

const configs::LmChoice& LmOf(const configs::RunConfig& config, core::Tier tier);
inference::ServerOptions ServerOptionsOf(const configs::RunConfig& config, core::Tier tier);

// How long an actor waits for workers of both tiers: as long as they may take to load their LMs.
std::chrono::seconds WorkersTimeout(const configs::RunOptions& run);

// `trained_before`: for how long, in former lives of the learner.
learner::LearnerOptions LearnerOptionsOf(const configs::RunConfig& config,
                                         std::chrono::milliseconds trained_before);
actors::ActorOptions ActorOptionsOf(const configs::RunConfig& config);

// What roles tell the coordinator (progress_totals.h).
transport::ProgressCounters Counters(const actors::ActorProgress& progress);
transport::ProgressCounters Counters(const learner::LearnerProgress& progress);
transport::ProgressCounters Counters(const inference::ServerProgress& progress);

// Whether the run's newest checkpoint, if there is one, fits `config`: asked before anything of a
// resumed run is touched. Throws core::ModelError, core::ConfigError.
void CheckCheckpoint(const RunFolder& folder,
                     const configs::RunConfig& config,
                     monitor::Logger logger);

// The Switcher of the run's newest checkpoint. Throws core::ModelError when there is none.
std::shared_ptr<const core::WeightsSnapshot> LoadTrainedSwitcher(const RunFolder& folder,
                                                                 const configs::RunConfig& config,
                                                                 monitor::Logger logger);

}  // namespace londi::launch
