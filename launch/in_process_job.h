#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/episode.h"
#include "core/language_model.h"
#include "launch/job.h"
#include "launch/process_job.h"

namespace londi::launch {

// Every role a thread of this process, joined by the in-process channels: the same actor loops,
// learner loop and inference workers as in StartProcessJob.
std::unique_ptr<Job> StartInProcessJob(const ProcessJobParts& parts);

// The same with any LMs and any environment: for tests, and for LMs that live elsewhere. They
// outlive the job.
struct InProcessWorld {
  core::LanguageModel& quick;
  core::LanguageModel& deepthink;
  actors::EnvironmentFactory make_environment;
};
std::unique_ptr<Job> StartInProcessJob(const ProcessJobParts& parts, const InProcessWorld& world);

}  // namespace londi::launch
