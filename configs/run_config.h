#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "actors/actor_loop.h"
#include "actors/envs/make_environment.h"
#include "actors/evaluation.h"
#include "actors/seeds.h"
#include "configs/strict_yaml.h"
#include "inference/batching_policy.h"
#include "inference/load_lm.h"
#include "learner/learner_loop.h"
#include "learner/replay/segment_log.h"
#include "transport/sockets.h"

namespace londi::configs {

// The run as a whole: what to do, for how long, with how many processes.
struct RunOptions {
  std::string name = "run";                   // Names the run folder.
  std::uint64_t seed = 1;                     // Of training episodes, exploration, learner.
  std::filesystem::path folder = "runs";      // Run folders are made in it.
  std::filesystem::path rows_from;            // Learn from the rows of this run, act not at all.
  std::chrono::seconds duration{10 * 60};     // Training ends after it ...
  std::int64_t max_decisions = 0;             // ... or after so many decisions; 0 = no limit.
  std::int64_t lock_step = 0;                 // Updates per turn; 0 = all roles work at once.
  std::int32_t num_actors = 1;                // Processes.
  std::int32_t learner_threads = 1;           // Of its matrix products.
  std::int32_t restarts = 5;                  // Per role and run; one more ends the job.
  std::chrono::seconds drain{20};             // Roles get this long to end by themselves.
  std::chrono::milliseconds heartbeat{1000};  // Leases are renewed this often.
  std::chrono::milliseconds lease{15'000};    // A role that stands still for longer is dead.
  std::chrono::seconds startup{5 * 60};       // A role that does not work by then is dead, too.
  std::chrono::milliseconds metrics_every{
      10'000};  // metrics.jsonl gets a line per role this often.
  std::string log_level = "info";
  std::string interface = "127.0.0.1";  // Sockets are bound to this IPv4 address, on free ports.
};

// One tier's LM and its workers.
struct LmChoice {
  std::filesystem::path model;  // A Hugging Face folder.
  std::int32_t workers = 1;     // Processes.
  std::int32_t threads = 1;     // Of each worker's forward pass.
  inference::LmOptions load;    // Device, memory for prompts.
};

struct EnvironmentChoice {
  std::string id = "babyai/MixedTrain";
  std::string kind;
  std::int32_t num_distractors = -1;  // -1 = the level's own number.
  std::int32_t view_size = 7;

  actors::EnvironmentOptions options() const;
};

// Which policies the table at the end compares.
struct EvaluationPlan {
  std::vector<double> costs = {0.02, 0.005, 0.05, 0.15};  // At least one; rules match the first.
  std::vector<double> budgets = {1, 3, 8};  // In the unit of actor.terms.budget_unit, >= 0.
  std::vector<double> average_calls;  // Calls per episode, > 0; at the trained cost that has them.
  std::vector<std::string> baselines = {"random", "entropy"};  // Of actors::BaselineKinds().
  bool cap_baselines = false;                                  // Baselines also under every budget.
  bool oracle = false;  // Also the best in hindsight, at every cost and budget of the Switcher.
  actors::HindsightOptions hindsight;
  std::int64_t remembered_answers = 300'000;  // Of each LM, >= 0; about 0.5 GB with small LMs.
  actors::EvaluationOptions options{.time = std::chrono::minutes(3)};
  actors::CalibrationOptions calibration;
  void Validate() const;  // Throws core::ConfigError.
};

// Everything a run is made of: mostly the owners' option structs.
struct RunConfig {
  RunOptions run;
  EnvironmentChoice environment;
  LmChoice quick;
  LmChoice deepthink;
  inference::BatchingOptions batching;  // Of every worker.
  actors::ActorOptions actor;
  EvaluationPlan evaluation;
  learner::LearnerOptions learner;
  learner::SegmentLogOptions transition_log;
  transport::TransportOptions transport;

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
