#pragma once

#include <chrono>
#include <cstdint>
#include <string>

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
// in order. A second stop request ends it at once. Throws what ended the job.
TrainEnd Train(Job& job, const TrainParts& parts);

// Whether the limits of `config` are reached. Pure.
bool IsTrained(const configs::RunConfig& config, const TrainedSoFar& trained);

}  // namespace londi::launch
