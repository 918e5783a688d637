#include "learner/run_length.h"

#include <algorithm>

namespace londi::learner {

double RunProgress(const RunLength& length,
                   std::int64_t updates,
                   std::int64_t rows,
                   core::Duration time) {
  double progress = 0;
  const auto reach = [&progress](double limit, double now) {
    if (limit > 0) progress = std::max(progress, std::min(1.0, now / limit));
  };
  reach(static_cast<double>(length.updates), static_cast<double>(updates));
  reach(static_cast<double>(length.rows), static_cast<double>(rows));
  const std::chrono::duration<double> limit = length.time, now = length.time_before + time;
  reach(limit.count(), now.count());
  return progress;
}

}  // namespace londi::learner
