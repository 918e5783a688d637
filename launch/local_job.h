#pragma once

#include <memory>

#include "launch/job.h"
#include "launch/process_job.h"

namespace londi::launch {

// An in-process job (in_process_job.h) in the configured environment, with the configured LMs in
// this process too: `londi train --in-process`.
std::unique_ptr<Job> StartLocalJob(const ProcessJobParts& parts);

}  // namespace londi::launch
