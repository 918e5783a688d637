#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "monitor/metrics.h"

namespace londi::launch {

// Appends a process's metrics to the run's metrics.jsonl every `interval` and once at the end, one
// line each: {"time": "...", "role": "actor.0", "pid": 7, "cpu_seconds": 1.5, "metrics": {...}},
// with the CPU time of the whole process. Several processes share the file (one write per line). A
// full disk stops the metrics, not the run.
class MetricsWriter {
 public:
  MetricsWriter(const std::filesystem::path& file,
                std::string role,
                const monitor::Metrics& metrics,
                std::chrono::milliseconds interval);
  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

 private:
  void Run();
  void Write();

  const std::string role_;
  const monitor::Metrics& metrics_;
  const std::chrono::milliseconds interval_;
  int fd_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace londi::launch
