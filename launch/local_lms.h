#pragma once

#include <memory>

#include "configs/run_config.h"
#include "core/language_model.h"
#include "monitor/log.h"
#include "monitor/metrics.h"

namespace londi::launch {

// Both LMs of a run, served within this process: the same workers as those of the inference
// processes, behind in-process channels.
class LocalLms {
 public:
  // Loads both; throws core::ModelError. `metrics` outlives this object.
  LocalLms(const configs::RunConfig& config, monitor::Metrics& metrics, monitor::Logger logger);
  ~LocalLms();  // Open requests are refused.
  LocalLms(const LocalLms&) = delete;
  LocalLms& operator=(const LocalLms&) = delete;

  core::LanguageModel& quick();
  core::LanguageModel& deepthink();

  // Rethrows what ended a worker, if anything did.
  void ThrowIfFailed();

 private:
  struct Worker;
  std::unique_ptr<Worker> quick_;
  std::unique_ptr<Worker> deepthink_;
};

}  // namespace londi::launch
