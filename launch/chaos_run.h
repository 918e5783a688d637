#pragma once

#include "launch/chaos_schedule.h"
#include "launch/whole_run.h"

namespace londi::launch {

struct ChaosRunOptions {
  WholeRunOptions run;  // What to train; its duration is replaced by that of the attack.
  ChaosOptions chaos;
};

// `londi chaos`: trains for the attack's duration on this machine while roles are hurt by
// the schedule, then checks the run's invariants and prints what it found. Every act is an event of
// the run ("chaos_kill" ..., "chaos_missed_kill" where it did not hit). Returns 0 when all hold, 1
// when one does not; throws core::Error when the run could not go on or none of the acts hit, and
// core::ConfigError for a run in lock step or of former rows.
int RunChaos(const ChaosRunOptions& options);

}  // namespace londi::launch
