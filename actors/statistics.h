#pragma once

#include <cstdint>
#include <span>

namespace londi::actors {

struct Interval {
  double low = 0;
  double high = 0;
};

// 95 % confidence interval of a proportion; {0, 1} for n = 0. Source: Wilson 1927.
Interval WilsonInterval(std::int64_t successes, std::int64_t n);

struct PairedDifference {
  double mean = 0;
  Interval interval;  // 95 %, percentile bootstrap over pairs.
  bool excludes_zero() const { return interval.low > 0 || interval.high < 0; }
};

// Of a[i] - b[i]. The same inputs and seed give the same interval. `a` and `b` are of equal,
// positive length.
PairedDifference BootstrapDifference(std::span<const double> a,
                                     std::span<const double> b,
                                     std::uint64_t seed = 1,
                                     int resamples = 2000);

}  // namespace londi::actors
