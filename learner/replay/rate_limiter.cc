#include "learner/replay/rate_limiter.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace londi::learner {

void RateLimiterOptions::Validate(int batch_size) const {
  if (!(samples_per_row > 0)) {
    throw core::ConfigError(
        {.what = "learner.rate.samples_per_row is " + std::to_string(samples_per_row),
         .why = "it says how often a row is learned from",
         .fix = "set it above 0; batch_size / 4 gives one update per 4 rows"});
  }
  if (min_rows < 1) {
    throw core::ConfigError({.what = "learner.rate.min_rows is " + std::to_string(min_rows),
                             .why = "nothing can be sampled from an empty replay",
                             .fix = "set it to 1 or more"});
  }
  if (slack < std::max<double>(samples_per_row, batch_size)) {
    throw core::ConfigError({.what = "learner.rate.slack is " + std::to_string(slack),
                             .why = "a single row or a single batch would exceed it: learner and "
                                    "actors would wait for each other "
                                    "for ever",
                             .fix = "set it to at least samples_per_row (" +
                                    std::to_string(samples_per_row) + ") and batch_size (" +
                                    std::to_string(batch_size) + ")"});
  }
}

double RateLimiter::Lead(std::int64_t inserted, std::int64_t sampled) const {
  return static_cast<double>(inserted - options_.min_rows) * options_.samples_per_row -
         static_cast<double>(sampled);
}

bool RateLimiter::MaySample(std::int64_t inserted, std::int64_t sampled, std::int64_t n) const {
  return inserted >= options_.min_rows &&
         Lead(inserted, sampled) - static_cast<double>(n) >= -options_.slack;
}

std::int64_t RateLimiter::RowsWanted(std::int64_t inserted, std::int64_t sampled) const {
  const double lead = Lead(inserted, sampled);
  const auto rows =
      static_cast<std::int64_t>(std::floor((options_.slack - lead) / options_.samples_per_row));
  return std::max<std::int64_t>({rows, options_.min_rows - inserted, 0});
}

std::int64_t RateLimiter::SampledInStep(std::int64_t inserted) const {
  return static_cast<std::int64_t>(std::max(Lead(inserted, 0), 0.0));
}

}  // namespace londi::learner
