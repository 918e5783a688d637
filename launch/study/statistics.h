#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "actors/statistics.h"

// What a study says about many runs. Pure.
namespace londi::launch::study {

// Mean of the middle half: a quarter of the scores, rounded down, is left out at either end. NaN
// for none. Source: Agarwal et al. 2021 (rliable, arXiv:2108.13264), section 4.3.
double InterquartileMean(std::vector<double> scores);

// P(X > Y) + P(X = Y) / 2 for X and Y drawn from the scores; NaN if either has none. Source: the
// same, Mann and Whitney 1947.
double ProbabilityOfImprovement(std::span<const double> x, std::span<const double> y);

// From the 2.5 % to the 97.5 % quantile of a statistic's resamples (nearest rank); those that are
// not finite are left out. NaN for none.
actors::Interval PercentileInterval(std::vector<double> resampled);

// What success costs: success against calls per step, both 0..1.
struct FrontierPoint {
  double calls = 0;
  double success = 0;
};

// The best success with at most so many calls, between points by straight lines: who may call more
// often need not.
class Frontier {
 public:
  // At least one point, in any order.
  explicit Frontier(std::vector<FrontierPoint> points);

  double SuccessAt(double calls) const;                  // Before the first point: its own.
  std::optional<double> CallsFor(double success) const;  // The fewest; nullopt: never reached.
  // Area below the share of the gap from `low` to `high` that is recovered, over calls from 0 to 1:
  // 1 = all of it for nothing. Behind the last point success stays. NaN without a gap.
  double RecoveredArea(double low, double high) const;

 private:
  std::vector<FrontierPoint> points_;  // Calls and success rise.
};

}  // namespace londi::launch::study
