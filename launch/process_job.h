#pragma once

#include <filesystem>
#include <memory>

#include "configs/run_config.h"
#include "launch/job.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "monitor/event_log.h"
#include "monitor/log.h"

namespace londi::launch {

struct ProcessJobParts {  // All outlive the job.
  const RunFolder& folder;
  const configs::RunConfig& config;
  Signals& signals;
  const core::Clock& clock;
  monitor::Logger logger;
  monitor::EventLog& events;
  std::filesystem::path executable = "/proc/self/exe";  // The londi binary.
};

// Every role a process of its own, talking ZeroMQ: coordinator, learner, inference workers of both
// tiers and actors (not these two where the rows come from a former run). Use it from main's thread
// (supervisor.h).
std::unique_ptr<Job> StartProcessJob(const ProcessJobParts& parts);

}  // namespace londi::launch
