#pragma once

#include <memory>

#include "launch/in_process_job.h"
#include "launch/job.h"
#include "launch/process_job.h"

namespace londi::launch {

// A run whose actors and learner take turns (lock_step.h), in a thread of this process:
// `run.lock_step`.
std::unique_ptr<Job> StartLockStepJob(const ProcessJobParts& parts, const InProcessWorld& world);

}  // namespace londi::launch
