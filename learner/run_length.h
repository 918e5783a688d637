#pragma once

#include <chrono>
#include <cstdint>

#include "core/clock.h"

namespace londi::learner {

// Where a run ends, as far as its learner can know: by the first of these limits that is reached.
// All are counted over restarts; 0 = none.
struct RunLength {
  std::int64_t updates = 0;
  std::int64_t rows = 0;
  std::chrono::milliseconds time{0};         // Of training.
  std::chrono::milliseconds time_before{0};  // Trained in former lives; no limit.
};

// How much of the run is behind, 0..1, by the limit that is nearest; 0 where there is none.
// `time`: of training, in this life.
double RunProgress(const RunLength& length,
                   std::int64_t updates,
                   std::int64_t rows,
                   core::Duration time);

}  // namespace londi::learner
