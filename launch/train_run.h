#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "configs/run_config.h"
#include "launch/job.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "launch/terminal.h"

namespace londi::launch {

// How far a run has come over all its sessions; kept in the run folder.
struct TrainedSoFar {
  std::chrono::milliseconds time{0};
  ProgressSample work;
  // Whether the last session came to its end: the roles ended as they were asked to, so that the
  // last checkpoint has all that was learned. nullopt: an older londi did not say.
  std::optional<bool> ended;
};
TrainedSoFar ReadTrained(const RunFolder& folder);  // Zeros when nothing was written yet.
void WriteTrained(const RunFolder& folder, const TrainedSoFar& trained);

enum class TrainEnd { kFinished, kInterrupted };

struct TrainParts {
  const RunFolder& folder;
  const configs::RunConfig& config;
  Signals& signals;
  const core::Clock& clock;
  Terminal& terminal;
};

// Drives `job` until the configuration's limits or a stop request, showing progress, then stops it
// in order. A second stop request ends it at once. No limit ends it before all roles have worked
// for TimeToRepeat. Throws what ended the job.
TrainEnd Train(Job& job, const TrainParts& parts);

// The limits of `config` that are reached, "run.duration (10 min)". Pure.
std::vector<std::string> ReachedLimits(const configs::RunConfig& config,
                                       const TrainedSoFar& trained);

// How much of the training is done again: where the last session did not come to its end, what was
// learned since its newest checkpoint is lost. Of an older londi's session this is asked only where
// the limits are reached, and IsOver denied. Pure.
std::chrono::milliseconds TimeToRepeat(const configs::RunConfig& config,
                                       const TrainedSoFar& trained);

// Whether there is nothing left to train: the limits are reached, and a checkpoint has all that was
// learned until then.
bool IsOver(const RunFolder& folder, const configs::RunConfig& config, const TrainedSoFar& trained);

}  // namespace londi::launch
