#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/clock.h"

namespace londi::launch {

struct RestartOptions {
  int budget = 5;                                   // Restarts of one role in a run, >= 0.
  std::chrono::milliseconds first_pause{200};       // Before the second restart, then twice as long
  std::chrono::milliseconds longest_pause{10'000};  // each time, up to this. The first: at once.
  std::chrono::seconds calm{60};      // After a life that was this long all begins anew.
  std::chrono::seconds startup{300};  // A life that does not work by then hangs.
};

// When a role that failed is started again. Pure: the time is an argument.
class RestartPolicy {
 public:
  explicit RestartPolicy(RestartOptions options) : options_(options) {}

  // nullopt: the budget is used up, give up.
  [[nodiscard]] std::optional<core::TimePoint> OnFailure(core::TimePoint started,
                                                         core::TimePoint failed) {
    if (restarts_ >= options_.budget) return std::nullopt;
    ++restarts_;
    if (failed - started >= options_.calm) pause_ = {};
    const core::TimePoint at = failed + pause_;
    pause_ = std::clamp(pause_ * 2, options_.first_pause, options_.longest_pause);
    return at;
  }

  int restarts() const { return restarts_; }

 private:
  RestartOptions options_;
  std::chrono::milliseconds pause_{0};
  int restarts_ = 0;
};

}  // namespace londi::launch
