#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/episode.h"
#include "core/language_model.h"
#include "launch/job.h"
#include "launch/process_job.h"
#include "monitor/metrics.h"

namespace londi::launch {

// What an in-process run acts in and with; outlives the job.
struct InProcessWorld {
  core::LanguageModel& quick;
  core::LanguageModel& deepthink;
  monitor::Metrics& metrics;  // Of all roles; the job writes them to the run's metrics.jsonl.
  actors::EnvironmentFactory make_environment;
};

// Every role a thread of this process, joined by the in-process channels: the same actor and
// learner loops as in StartProcessJob.
std::unique_ptr<Job> StartInProcessJob(const ProcessJobParts& parts, const InProcessWorld& world);

}  // namespace londi::launch
