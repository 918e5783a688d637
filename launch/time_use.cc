#include "launch/time_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "configs/duration_text.h"

namespace londi::launch {
namespace {

using Json = nlohmann::json;

// "name{a=\"x\",b=\"y\"}" -> the value of one label; "" without it.
std::string Label(std::string_view series, std::string_view label) {
  const std::string begin = std::string(label) + "=\"";
  const std::size_t found = series.find(begin, series.find('{'));
  if (found == std::string_view::npos) return "";
  const std::size_t from = found + begin.size();
  return std::string(series.substr(from, series.find('"', from) - from));
}

void AddActorMetric(TimeUse& use, std::string_view series, std::string_view name, double value) {
  if (name == "londi_actor_decisions_total") use.decisions += value;
  if (name == "londi_actor_deepthink_calls_total") use.calls += value;
  if (name == "londi_actor_deepthink_labels_total") use.labels += value;
  if (name == "londi_actor_budget_violations_total") use.violations += value;
  if (name == "londi_actor_boundary_tasks_total" && value > 0)
    use.boundary_tasks[Label(series, "difficulty")] += value;
  if (name == "londi_actor_seconds_total") use.actor_seconds[Label(series, "part")] += value;
}

void AddWorkerMetric(TimeUse& use, std::string_view series, std::string_view name, double value) {
  if (!name.starts_with("londi_inference_")) return;
  TimeUse::Tier& tier = use.tiers[Label(series, "tier")];
  if (name == "londi_inference_requests_total" && Label(series, "outcome") == "answered") {
    tier.requests += value;
  }
  if (name == "londi_inference_batch_requests_count") tier.batches += value;
  if (name == "londi_inference_batch_tokens_sum") tier.tokens += value;
  if (name == "londi_inference_queue_milliseconds_sum") tier.queue_ms += value;
  if (name == "londi_inference_compute_milliseconds_sum") tier.compute_ms += value;
}

void AddLife(TimeUse& use, const std::string& role, const Json& line) {
  const std::size_t number = role.find_last_not_of("0123456789");
  const bool numbered = number + 1 < role.size() && role[number] == '.';
  use.cpu_seconds[numbered ? role.substr(0, number) : role] += line.value("cpu_seconds", 0.0);
  for (const auto& [series, value] : line.at("metrics").items()) {
    if (!value.is_number()) continue;
    const std::string_view name = std::string_view(series).substr(0, series.find('{'));
    AddActorMetric(use, series, name, value.get<double>());
    AddWorkerMetric(use, series, name, value.get<double>());
  }
}

double Per(double sum, double count) { return count > 0 ? sum / count : 0; }

// "" where no boundaries were played.
std::string DescribeBoundaries(const TimeUse& use) {
  if (use.boundary_tasks.empty()) return "";
  const auto tasks = [&](const char* difficulty) {
    const auto found = use.boundary_tasks.find(difficulty);
    return found == use.boundary_tasks.end() ? 0.0 : found->second;
  };
  return fmt::format(
      "Boundaries: {:.0f} tasks were easy (QUICK alone succeeds), {:.0f} hard (only DEEPTHINK "
      "does), {:.0f} lost by both.\n\n",
      tasks("easy"),
      tasks("hard"),
      tasks("lost"));
}

std::string DescribeDecisions(const TimeUse& use) {
  constexpr std::pair<const char*, const char*> kParts[] = {
      {"quick", "waiting for QUICK's proposal"},
      {"switcher", "the Switcher's choice"},
      {"deepthink", "waiting for DEEPTHINK's proposal"},
      {"env", "the environment's step"},
      {"write", "handing the row to the learner"},
  };
  double all = 0;
  for (const auto& [part, seconds] : use.actor_seconds) all += seconds;
  std::string text = "| part of a decision | ms per decision | share |\n|---|---:|---:|\n";
  for (const auto& [part, meaning] : kParts) {
    const auto found = use.actor_seconds.find(part);
    const double seconds = found == use.actor_seconds.end() ? 0 : found->second;
    text += fmt::format("| {} | {:.3f} | {:.2f} % |\n",
                        meaning,
                        1e3 * Per(seconds, use.decisions),
                        100 * Per(seconds, all));
  }
  return text + fmt::format("| all | {:.3f} | |\n\n", 1e3 * Per(all, use.decisions));
}

std::string DescribeTiers(const TimeUse& use) {
  std::string text =
      "| LM | requests | mean batch | tokens per request | queue ms | compute ms per batch |\n"
      "|---|---:|---:|---:|---:|---:|\n";
  for (const auto& [name, tier] : use.tiers) {
    text += fmt::format("| {} | {:.0f} | {:.2f} | {:.1f} | {:.2f} | {:.2f} |\n",
                        name,
                        tier.requests,
                        Per(tier.requests, tier.batches),
                        Per(tier.tokens, tier.requests),
                        Per(tier.queue_ms, tier.requests),
                        Per(tier.compute_ms, tier.batches));
  }
  return text + "\n";
}

std::string DescribeProcesses(const TimeUse& use) {
  std::string text = "| process | CPU seconds | CPU ms per decision |\n|---|---:|---:|\n";
  for (const auto& [name, seconds] : use.cpu_seconds) {
    text +=
        fmt::format("| {} | {:.1f} | {:.3f} |\n", name, seconds, 1e3 * Per(seconds, use.decisions));
  }
  return text;
}

}  // namespace

TimeUse ReadTimeUse(const std::filesystem::path& metrics) {
  // Counters begin at 0 in every process: the last line of each life counts.
  std::map<std::pair<std::string, std::int64_t>, Json> lives;
  std::ifstream in(metrics);
  for (std::string text; std::getline(in, text);) {
    Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("role") || !line.contains("metrics")) continue;
    const std::pair life(line.value("role", ""), line.value("pid", std::int64_t{0}));
    lives[life] = std::move(line);
  }
  TimeUse use;
  for (const auto& [life, line] : lives) AddLife(use, life.first, line);
  return use;
}

std::string DescribeTimeUse(const TimeUse& use, std::chrono::milliseconds trained) {
  const double seconds = std::chrono::duration<double>(trained).count();
  return fmt::format(
             "{:.1f} decisions/s over {}; {:.1f} % of the decisions called DEEPTHINK, {:.1f} % "
             "asked it "
             "only to learn from; budget violations: {:.0f}.\n"
             "Episodes run side by side in an actor, so their waiting overlaps.\n\n",
             Per(use.decisions, seconds),
             configs::RoughDuration(trained),
             100 * Per(use.calls, use.decisions),
             100 * Per(use.labels, use.decisions),
             use.violations) +
         DescribeBoundaries(use) + DescribeDecisions(use) + DescribeTiers(use) +
         DescribeProcesses(use);
}

}  // namespace londi::launch
