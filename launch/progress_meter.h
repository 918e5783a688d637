#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "core/clock.h"
#include "launch/progress_totals.h"

namespace londi::launch {

// The state of a run at one moment.
struct ProgressSample {
  std::int64_t decisions = 0;
  std::int64_t episodes = 0;
  std::int64_t successes = 0;
  std::int64_t activations = 0;
  std::int64_t updates = 0;
  std::int64_t rows = 0;
  std::int64_t published = 0;      // Newest weights version of the learner.
  std::int64_t oldest_acting = 0;  // Oldest version an actor acts with.
};
ProgressSample Sample(const ProgressTotals& totals);

// What the progress line shows. Shares are of the window, NaN while there is nothing to divide by.
struct ProgressRates {
  ProgressSample now;
  double decisions_per_second = 0;
  double updates_per_second = 0;
  double success = 0;          // Of the episodes that ended in the window.
  double deepthink_share = 0;  // Of its decisions.
  std::int64_t weights_lag = 0;
};

// Rates over a sliding window. Pure: time comes in as an argument.
class ProgressMeter {
 public:
  explicit ProgressMeter(std::chrono::seconds window = std::chrono::seconds(30))
      : window_(window) {}

  ProgressRates Add(const ProgressSample& sample, core::TimePoint now);

 private:
  const core::Duration window_;
  std::deque<std::pair<core::TimePoint, ProgressSample>> samples_;
};

// "  412 decisions/s | 1,240 episodes | success 71.2 % | DEEPTHINK 24.0 % | ..."
std::string ProgressLine(const ProgressRates& rates, std::chrono::seconds left);

}  // namespace londi::launch
