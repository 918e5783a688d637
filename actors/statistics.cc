#include "actors/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "actors/random.h"

namespace londi::actors {

Interval WilsonInterval(std::int64_t successes, std::int64_t n) {
  if (n == 0) return {0, 1};
  constexpr double z = 1.959963984540054;
  const double count = static_cast<double>(n);
  const double share = static_cast<double>(successes) / count;
  const double denominator = 1 + z * z / count;
  const double center = (share + z * z / (2 * count)) / denominator;
  const double half =
      z / denominator * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count));
  return {std::max(center - half, 0.0), std::min(center + half, 1.0)};
}

PairedDifference BootstrapDifference(std::span<const double> a,
                                     std::span<const double> b,
                                     std::uint64_t seed,
                                     int resamples) {
  const std::size_t n = a.size();
  std::vector<double> differences(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += differences[i] = a[i] - b[i];

  Random random(seed);
  std::vector<double> means(static_cast<std::size_t>(resamples));
  for (double& mean : means) {
    double total = 0;
    for (std::size_t i = 0; i < n; ++i)
      total += differences[static_cast<std::size_t>(random.Below(static_cast<std::int64_t>(n)))];
    mean = total / static_cast<double>(n);
  }
  std::ranges::sort(means);
  const auto quantile = [&](double q) {
    return means[static_cast<std::size_t>(std::lround(q * (resamples - 1)))];
  };
  return {.mean = sum / static_cast<double>(n), .interval = {quantile(0.025), quantile(0.975)}};
}

}  // namespace londi::actors
