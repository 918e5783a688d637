#include "launch/study/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace londi::launch::study {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double InterquartileMean(std::vector<double> scores) {
  if (scores.empty()) return kNone;
  std::ranges::sort(scores);
  const std::size_t cut = scores.size() / 4;
  const std::span<const double> middle(scores.begin() + static_cast<std::ptrdiff_t>(cut),
                                       scores.size() - 2 * cut);
  return std::accumulate(middle.begin(), middle.end(), 0.0) / static_cast<double>(middle.size());
}

double ProbabilityOfImprovement(std::span<const double> x, std::span<const double> y) {
  if (x.empty() || y.empty()) return kNone;
  double wins = 0;
  for (const double a : x) {
    for (const double b : y) wins += a > b ? 1 : a == b ? 0.5 : 0;
  }
  return wins / static_cast<double>(x.size() * y.size());
}

actors::Interval PercentileInterval(std::vector<double> resampled) {
  std::erase_if(resampled, [](double value) { return !std::isfinite(value); });
  if (resampled.empty()) return {kNone, kNone};
  std::ranges::sort(resampled);
  const auto quantile = [&](double q) {
    const double last = static_cast<double>(resampled.size() - 1);
    return resampled[static_cast<std::size_t>(std::lround(q * last))];
  };
  return {quantile(0.025), quantile(0.975)};
}

Frontier::Frontier(std::vector<FrontierPoint> points) {
  std::ranges::sort(points, [](const FrontierPoint& a, const FrontierPoint& b) {
    return a.calls != b.calls ? a.calls < b.calls : a.success > b.success;
  });
  for (const FrontierPoint& point : points) {
    if (points_.empty() || point.success > points_.back().success) points_.push_back(point);
  }
}

double Frontier::SuccessAt(double calls) const {
  if (calls <= points_.front().calls) return points_.front().success;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const FrontierPoint &a = points_[i - 1], &b = points_[i];
    if (calls > b.calls) continue;
    return a.success + (b.success - a.success) * (calls - a.calls) / (b.calls - a.calls);
  }
  return points_.back().success;
}

std::optional<double> Frontier::CallsFor(double success) const {
  if (success <= points_.front().success) return points_.front().calls;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const FrontierPoint &a = points_[i - 1], &b = points_[i];
    if (success > b.success) continue;
    return a.calls + (b.calls - a.calls) * (success - a.success) / (b.success - a.success);
  }
  return std::nullopt;
}

double Frontier::RecoveredArea(double low, double high) const {
  if (high == low) return kNone;
  std::vector<double> corners = {0, 1};
  for (const FrontierPoint& point : points_) {
    if (point.calls > 0 && point.calls < 1) corners.push_back(point.calls);
  }
  std::ranges::sort(corners);
  double area = 0;  // Trapezia: the frontier is straight between its corners.
  for (std::size_t i = 1; i < corners.size(); ++i) {
    const double mean = (SuccessAt(corners[i - 1]) + SuccessAt(corners[i])) / 2;
    area += (corners[i] - corners[i - 1]) * (mean - low) / (high - low);
  }
  return area;
}

}  // namespace londi::launch::study
