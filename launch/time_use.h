#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace londi::launch {

// Sums over a run and all lives of its processes.
struct TimeUse {
  struct Tier {
    double requests = 0;  // Answered.
    double batches = 0;
    double tokens = 0;  // Computed.
    double queue_ms = 0;
    double compute_ms = 0;  // Of the batches.
  };

  double decisions = 0;
  double calls = 0;
  double labels = 0;      // DEEPTHINK asked without being followed, to learn from.
  double violations = 0;  // Episodes with more calls than their budget.
  std::map<std::string, double> boundary_tasks;  // By difficulty: easy, hard, lost.
  std::map<std::string, double> actor_seconds;   // By part: env, quick, switcher, deepthink, write.
  std::map<std::string, Tier> tiers;             // By name.
  std::map<std::string, double> cpu_seconds;     // By kind of process: actor, inference.quick ...
};

// From a run's metrics.jsonl (metrics_writer.h); lines that are torn or say nothing are skipped.
// Nothing was measured: everything is 0.
TimeUse ReadTimeUse(const std::filesystem::path& metrics);

// For people, as Markdown tables: where each decision's milliseconds went, what the LMs did, which
// processes used the CPU. `trained`: how long training took.
std::string DescribeTimeUse(const TimeUse& use, std::chrono::milliseconds trained);

}  // namespace londi::launch
