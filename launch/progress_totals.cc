#include "launch/progress_totals.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace londi::launch {

void ProgressTotals::Update(const std::string& name,
                            core::Incarnation incarnation,
                            const transport::ProgressCounters& counters) {
  if (counters.empty()) return;
  lives_[{name, incarnation.value}] = counters;
}

std::int64_t ProgressTotals::Sum(std::string_view prefix, const std::string& counter) const {
  std::int64_t sum = 0;
  for (const auto& [life, counters] : lives_) {
    if (!life.first.starts_with(prefix)) continue;
    if (const auto found = counters.find(counter); found != counters.end()) sum += found->second;
  }
  return sum;
}

std::pair<std::int64_t, std::int64_t> ProgressTotals::Range(std::string_view prefix,
                                                            const std::string& counter) const {
  std::map<std::string, std::int64_t> newest;  // By name; lives are ordered by incarnation.
  for (const auto& [life, counters] : lives_) {
    if (!life.first.starts_with(prefix)) continue;
    if (const auto found = counters.find(counter); found != counters.end()) {
      newest[life.first] = found->second;
    }
  }
  if (newest.empty()) return {0, 0};
  const auto [low, high] =
      std::ranges::minmax_element(newest, {}, &std::pair<const std::string, std::int64_t>::second);
  return {low->second, high->second};
}

std::string ProgressTotals::ToJson() const {
  nlohmann::json lives = nlohmann::json::array();
  for (const auto& [life, counters] : lives_) {
    lives.push_back({{"name", life.first}, {"incarnation", life.second}, {"counters", counters}});
  }
  return nlohmann::json{{"lives", lives}}.dump(1);
}

ProgressTotals ProgressTotals::FromJson(const std::string& json) {
  ProgressTotals totals;
  try {
    const auto root = nlohmann::json::parse(json);
    for (const auto& life : root.at("lives")) {
      totals.lives_[{life.at("name"), life.at("incarnation")}] = life.at("counters");
    }
  } catch (const nlohmann::json::exception& error) {
    throw core::IoError(
        {.what = "the progress of the run cannot be read",
         .why = error.what(),
         .fix = "remove progress.json from the run folder; only its totals are lost"});
  }
  return totals;
}

ProgressTotals ReadTotals(const RunFolder& folder) {
  std::ifstream in(folder.progress());
  if (!in.is_open()) return {};
  return ProgressTotals::FromJson({std::istreambuf_iterator<char>(in), {}});
}

}  // namespace londi::launch
