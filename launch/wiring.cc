#include "launch/wiring.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "actors/envs/make_environment.h"
#include "core/error.h"
#include "launch/progress_totals.h"
#include "learner/algorithms/make_algorithm.h"
#include "learner/checkpoint.h"

namespace londi::launch {

actors::EnvironmentFactory MakeEnvironmentFactory(const configs::EnvironmentChoice& environment) {
  return [id = environment.id, options = environment.options()] {
    return actors::MakeEnvironment(id, options);
  };
}

actors::ActorIdentity IdentityOf(const configs::RunConfig& config,
                                 core::ActorId actor,
                                 core::Incarnation incarnation) {
  return {.run_seed = config.run.seed,
          .actor = actor,
          .incarnation = incarnation,
          .num_actors = config.run.num_actors};
}

void CheckModels(const configs::RunConfig& config) {
  for (const auto& [key, lm] :
       {std::pair("quick.model", &config.quick), std::pair("deepthink.model", &config.deepthink)}) {
    if (std::filesystem::is_regular_file(lm->model / "config.json")) continue;
    throw core::ModelError(
        {.what = fmt::format("{} = '{}' is no model folder", key, lm->model.string()),
         .why = lm->model.empty() ? "no model was named" : "there is no config.json in it",
         .fix = fmt::format(
             "name a Hugging Face folder in the configuration, or with --set {}=FOLDER", key)});
  }
}

const configs::LmChoice& LmOf(const configs::RunConfig& config, core::Tier tier) {
  return tier == core::Tier::kQuick ? config.quick : config.deepthink;
}

inference::ServerOptions ServerOptionsOf(const configs::RunConfig& config, core::Tier tier) {
  return {.batching = config.batching,
          .threads = LmOf(config, tier).threads,
          // Half of what the process gets to end: the rest is for leaving the run in order.
          .drain = std::chrono::milliseconds(config.run.drain) / 2,
          .tier = core::TierName(tier)};
}

std::chrono::seconds WorkersTimeout(const configs::RunOptions& run) {
  // Where run.startup is short, a worker may need several lives.
  return std::max<std::chrono::seconds>(run.startup, std::chrono::minutes(5));
}

learner::LearnerOptions LearnerOptionsOf(const configs::RunConfig& config,
                                         std::chrono::milliseconds trained_before) {
  learner::LearnerOptions options = config.learner;
  options.seed = config.run.seed;
  options.threads = config.run.learner_threads;
  options.run = {.updates = config.learner.max_updates,
                 .time = config.run.duration,
                 .time_before = trained_before};
  // Former rows are all there from the beginning.
  if (config.run.rows_from.empty()) options.run.rows = config.run.max_decisions;
  options.batch.relabel.ticks_per_call = config.actor.terms.meter().ticks_per_call();
  options.batch.relabel.least_per_call = config.actor.terms.meter().least_per_call();
  return options;
}

actors::ActorOptions ActorOptionsOf(const configs::RunConfig& config) {
  actors::ActorOptions options = config.actor;
  options.boundaries.gamma = config.learner.batch.gamma;
  options.branching.gamma = config.learner.batch.gamma;
  return options;
}

transport::ProgressCounters Counters(const actors::ActorProgress& progress) {
  return {{counter::kDecisions, progress.decisions},
          {counter::kBoundaryDecisions, progress.boundary_decisions},
          {counter::kEpisodes, progress.episodes},
          {counter::kSuccesses, progress.successes},
          {counter::kActivations, progress.deepthink_calls},
          {counter::kFailedEpisodes, progress.failed_episodes},
          {counter::kViolations, progress.budget_violations},
          {counter::kWeights, progress.weights.value}};
}

transport::ProgressCounters Counters(const learner::LearnerProgress& progress) {
  return {{counter::kRows, progress.rows},
          {counter::kUpdates, progress.updates},
          {counter::kWeights, progress.weights.value}};
}

transport::ProgressCounters Counters(const inference::ServerProgress& progress) {
  return {{counter::kRequests, progress.answered}, {counter::kBatches, progress.batches}};
}

namespace {

// nullptr: there is no checkpoint.
std::shared_ptr<const core::WeightsSnapshot> ReadNewest(const RunFolder& folder,
                                                        const configs::RunConfig& config,
                                                        monitor::Logger logger) {
  const learner::CheckpointStore store(
      folder.checkpoints(), config.learner.checkpoints_kept, std::move(logger));
  const auto checkpoint = store.ReadLatest();
  if (!checkpoint) return nullptr;
  const auto algorithm = learner::MakeAlgorithm(
      config.learner.algorithm, checkpoint->num_features, "cpu", config.run.seed);
  algorithm->Restore(checkpoint->algorithm);
  return algorithm->Export(checkpoint->weights);
}

}  // namespace

void CheckCheckpoint(const RunFolder& folder,
                     const configs::RunConfig& config,
                     monitor::Logger logger) {
  static_cast<void>(ReadNewest(folder, config, std::move(logger)));
}

std::shared_ptr<const core::WeightsSnapshot> LoadTrainedSwitcher(const RunFolder& folder,
                                                                 const configs::RunConfig& config,
                                                                 monitor::Logger logger) {
  if (auto weights = ReadNewest(folder, config, std::move(logger))) return weights;
  throw core::ModelError(
      {.what = fmt::format("there is no trained Switcher in {}", folder.checkpoints().string()),
       .why = "the run ended before its first checkpoint",
       .fix = fmt::format("train on with `londi train --resume {}`", folder.path.string())});
}

}  // namespace londi::launch
