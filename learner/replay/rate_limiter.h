#pragma once

#include <cstdint>

namespace londi::learner {

struct RateLimiterOptions {
  double samples_per_row =
      128;  // How often a row is sampled on average, > 0. Updates per row = this / batch size.
  std::int64_t min_rows = 2000;  // No sampling before, >= 1.
  double slack = 20000;  // Sampled rows by which either side may run ahead, >= max(samples_per_row,
                         // batch size).
  // `batch_size`: rows of one sampling call. Throws core::ConfigError, also for values with which
  // both sides would wait for each other for ever.
  void Validate(int batch_size) const;
};

// Keeps sampling and inserting in step. Pure arithmetic on the two counters of a run: no clock, no
// thread, no state.
//
//   lead = (inserted - min_rows) * samples_per_row - sampled
//   sampling n rows waits while lead - n < -slack;   inserting n rows waits while the lead
//   afterwards > slack
//
// Source: Cassirer et al. 2021 (Reverb, arXiv:2102.04736), section 3.5 "Rate Limiting".
class RateLimiter {
 public:
  explicit RateLimiter(RateLimiterOptions options) : options_(options) {}

  bool MaySample(std::int64_t inserted, std::int64_t sampled, std::int64_t n) const;

  // Rows that may still be inserted: the credits of all streams together. Never negative.
  std::int64_t RowsWanted(std::int64_t inserted, std::int64_t sampled) const;

  // What is sampled where neither side is ahead of the other.
  std::int64_t SampledInStep(std::int64_t inserted) const;

 private:
  double Lead(std::int64_t inserted, std::int64_t sampled) const;
  RateLimiterOptions options_;
};

}  // namespace londi::learner
