#include "launch/progress_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "configs/duration_text.h"

namespace londi::launch {
namespace {

double Ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole)
                   : std::numeric_limits<double>::quiet_NaN();
}

std::string Percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.1f} %", 100 * share);
}

}  // namespace

ProgressSample Sample(const ProgressTotals& totals) {
  ProgressSample sample;
  sample.decisions = totals.Sum("actor", counter::kDecisions);
  sample.episodes = totals.Sum("actor", counter::kEpisodes);
  sample.successes = totals.Sum("actor", counter::kSuccesses);
  sample.activations = totals.Sum("actor", counter::kActivations);
  sample.updates = totals.Range("learner", counter::kUpdates).second;
  sample.rows = totals.Range("learner", counter::kRows).second;
  sample.published = totals.Range("learner", counter::kWeights).second;
  sample.oldest_acting = totals.Range("actor", counter::kWeights).first;
  return sample;
}

ProgressRates ProgressMeter::Add(const ProgressSample& sample, core::TimePoint now) {
  samples_.emplace_back(now, sample);
  while (samples_.size() > 2 && samples_[1].first <= now - window_) samples_.pop_front();
  const auto& [then, first] = samples_.front();
  const double seconds = std::chrono::duration<double>(now - then).count();
  ProgressRates rates{.now = sample};
  if (seconds > 0) {
    rates.decisions_per_second = static_cast<double>(sample.decisions - first.decisions) / seconds;
    rates.updates_per_second = static_cast<double>(sample.updates - first.updates) / seconds;
  }
  rates.success = Ratio(sample.successes - first.successes, sample.episodes - first.episodes);
  rates.deepthink_share =
      Ratio(sample.activations - first.activations, sample.decisions - first.decisions);
  rates.weights_lag = std::max<std::int64_t>(0, sample.published - sample.oldest_acting);
  return rates;
}

std::string ProgressLine(const ProgressRates& rates, std::chrono::seconds left) {
  return fmt::format(
      "{:.0f} decisions/s | {} episodes | success {} | DEEPTHINK {} | {:.1f} updates/s ({}) | "
      "weights v{}, lag {} | {} left",
      rates.decisions_per_second,
      rates.now.episodes,
      Percent(rates.success),
      Percent(rates.deepthink_share),
      rates.updates_per_second,
      rates.now.updates,
      rates.now.published,
      rates.weights_lag,
      configs::RoughDuration(std::max(left, std::chrono::seconds(0))));
}

}  // namespace londi::launch
