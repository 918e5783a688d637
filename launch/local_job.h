#pragma once

#include <memory>

#include "launch/job.h"
#include "launch/process_job.h"

namespace londi::launch {

// A job in this process (in_process_job.h, or lock_step_job.h with `run.lock_step`) in the
// configured environment, with the configured LMs in it too: `londi train --in-process`.
std::unique_ptr<Job> StartLocalJob(const ProcessJobParts& parts);

}  // namespace londi::launch
