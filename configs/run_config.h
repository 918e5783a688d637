#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "configs/strict_yaml.h"
#include "learner/learner_loop.h"
#include "learner/segment_log.h"

namespace londi::configs {

// The run as a whole: what to do, for how long, with how many processes.
struct RunOptions {
  std::string name = "run";                   // Names the run folder.
  std::uint64_t seed = 1;                     // Of training episodes, exploration, learner.
  std::filesystem::path folder = "runs";      // Run folders are made in it.
  std::chrono::seconds duration{10 * 60};     // Training ends after it ...
  std::int64_t max_decisions = 0;             // ... or after so many decisions; 0 = no limit.
  std::int32_t num_actors = 1;                // Processes.
  std::int32_t restarts = 5;                  // Per role and run; one more ends the job.
  std::chrono::seconds drain{20};             // Roles get this long to end by themselves.
  std::chrono::milliseconds heartbeat{1000};  // Leases are renewed this often.
  std::chrono::milliseconds lease{15'000};    // A role silent for longer counts as dead.
  std::chrono::milliseconds metrics_every{
      10'000};  // metrics.jsonl gets a line per role this often.
  std::string log_level = "info";
  std::string interface = "127.0.0.1";  // Sockets are bound here, on free ports.
};

// Everything a run is made of: the owners' option structs and nothing of its own but RunOptions.
struct RunConfig {
  RunOptions run;
  learner::LearnerOptions learner;
  learner::SegmentLogOptions transition_log;

  // Throws core::ConfigError where single values are fine but do not fit each other.
  void Validate() const;
};

// Binds every option. `config` must outlive the table.
void Bind(RunConfig& config, OptionTable& table);

// Reads `file` (empty = defaults), then the `--set` texts, and validates.
RunConfig LoadRunConfig(const std::filesystem::path& file, const std::vector<std::string>& sets);

// The resolved configuration as a YAML file.
std::string ToYaml(const RunConfig& config);

// The same as "key = value" lines: for checkpoints, and to tell configurations apart.
std::vector<std::string> ToLines(const RunConfig& config);

}  // namespace londi::configs
