#pragma once

#include <filesystem>
#include <optional>

#include "core/language_model.h"

// The processes of a run, as started by `londi <role> --run DIR`. Each runs until SIGTERM or until
// the coordinator says so, drains, and returns 0; it throws core::Error when it cannot go on.
namespace londi::launch {

// Registry, leases, epoch; writes the run's progress.
int RunCoordinator(const std::filesystem::path& run_folder);

// Worker number `index` of `tier`: answers LM requests.
int RunInference(const std::filesystem::path& run_folder, core::Tier tier, int index);

// Actor process number `index`: many concurrent episodes.
int RunActor(const std::filesystem::path& run_folder, int index);

// The learner: rows in, weights out, checkpoints.
int RunLearner(const std::filesystem::path& run_folder);

}  // namespace londi::launch
