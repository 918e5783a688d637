#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "actors/boundaries.h"
#include "core/clock.h"
#include "core/ids.h"
#include "monitor/metrics.h"

namespace londi::actors {

// A sum that threads add to, and that reaches the metrics from time to time.
struct Tally {
  explicit Tally(monitor::Counter series) : counter(series) {}
  void Add(std::int64_t by) { value.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t Get() const { return value.load(std::memory_order_relaxed); }
  void Publish(double unit) {  // One thread.
    const std::int64_t now = Get();
    counter.Increment(static_cast<double>(now - published) * unit);
    published = now;
  }

  monitor::Counter counter;
  std::atomic<std::int64_t> value = 0;
  std::int64_t published = 0;
};

// What the threads of an actor process count. Add and TasksOf: any thread; Publish: one.
struct ActorCounters {
  static constexpr double kSecondsPerTick =
      std::chrono::duration<double>(core::Duration(1)).count();  // Of core::Duration.

  ActorCounters(monitor::Metrics& metrics, core::ActorId actor);

  Tally& TasksOf(Difficulty difficulty);
  void Publish();

  const monitor::Labels labels;
  Tally decisions, boundary_decisions, episodes, successes, deepthink_calls, labels_asked,
      changed_actions, failed_episodes, refused_calls, overrun_calls, budget_violations;
  Tally easy_tasks, hard_tasks, lost_tasks;
  Tally env_time, quick_time, switcher_time, deepthink_time, write_time;  // Ticks.
  std::atomic<std::int64_t> weights = 0;
  monitor::Gauge weights_gauge;
};

}  // namespace londi::actors
