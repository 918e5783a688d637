#include "actors/evaluation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace londi::actors {
namespace {

using Json = nlohmann::ordered_json;

std::string BudgetText(const EvaluationCell& cell) {
  if (cell.average) return fmt::format("~{:g}", cell.average->wanted);
  if (cell.terms.budget < 0) return "-";
  return fmt::format("{:g}", cell.terms.meter.Amount(cell.terms.budget));
}

// Of budgets that do not count calls.
std::string UnitText(const std::vector<CellResult>& results) {
  for (const CellResult& result : results) {
    const EpisodeTerms& terms = result.cell.terms;
    if (terms.budget >= 0 && terms.meter.unit() != core::BudgetUnit::kCalls)
      return fmt::format("B in {} of DEEPTHINK; ", core::UnitName(terms.meter.unit()));
  }
  return "";
}

std::string CostText(const EvaluationCell& cell) {
  return DependsOnCost(cell) ? fmt::format("{:.3g}", cell.terms.cost) : "-";
}

std::string DifferenceText(const PairedDifference& difference) {
  return fmt::format("{:+.1f} [{:+.1f}, {:+.1f}]",
                     100 * difference.mean,
                     100 * difference.interval.low,
                     100 * difference.interval.high);
}

std::string_view Name(CostOutcome outcome) {
  switch (outcome) {
    case CostOutcome::kReached:
      return "reached";
    case CostOutcome::kBetween:
      return "between";
    case CostOutcome::kTooFew:
      return "too_few";
    case CostOutcome::kTooMany:
      return "too_many";
    case CostOutcome::kUnsettled:
      return "unsettled";
    case CostOutcome::kSearching:
      break;
  }
  return "stopped";
}

// What `average` came to on calibration episodes, for people.
std::string OutcomeText(const AverageBudget& average) {
  const auto at = [](const std::optional<CallsAtCost>& point) {
    return point ? fmt::format("{:.2f} at c={:.4g}", point->calls, point->cost) : "-";
  };
  switch (average.outcome) {
    case CostOutcome::kReached:
      return "reached";
    case CostOutcome::kBetween:
      return fmt::format("no cost has them: {}, {}", at(average.above), at(average.below));
    case CostOutcome::kTooFew:
      return "out of reach: it calls less often even at the smallest trained cost";
    case CostOutcome::kTooMany:
      return "out of reach: it calls more often even at the largest trained cost";
    case CostOutcome::kUnsettled:
      return fmt::format(
          "not found in so many tries, between {} and {}", at(average.above), at(average.below));
    case CostOutcome::kSearching:
      break;
  }
  return "stopped before it was found";
}

// What became of the average budgets; empty without any.
std::string AverageText(const std::vector<CellResult>& results) {
  std::string text;
  for (const CellResult& result : results) {
    if (!result.cell.average) continue;
    const AverageBudget& average = *result.cell.average;
    text += fmt::format("  wanted {:g}: c={:.4g} makes {:.2f} there, {:.2f} here; {}\n",
                        average.wanted,
                        average.found.cost,
                        average.found.calls,
                        Summarize(result).calls,
                        OutcomeText(average));
  }
  if (text.empty()) return text;
  return "switcher-average: at the cost, found on calibration episodes, at which it makes so many "
         "calls\nper episode on average; single episodes may have more:\n" +
         text;
}

// What the oracle's rows mean; empty without any.
std::string HindsightText(const std::vector<CellResult>& results) {
  std::string proofs;
  for (const CellResult& result : results) {
    if (!result.cell.hindsight) continue;
    const CellSummary summary = Summarize(result);
    proofs +=
        fmt::format("  c={} B={}: value {:.4f}, at most {:.4f}; proven in {} of {} episodes\n",
                    CostText(result.cell),
                    BudgetText(result.cell),
                    summary.value,
                    summary.bound,
                    summary.proven,
                    summary.episodes);
  }
  if (proofs.empty()) return proofs;
  return "hindsight-oracle sees the future: it tries calls out before it makes them, as no "
         "Switcher "
         "can.\nWhat its plans are worth (return minus c times calls), and what no policy "
         "exceeds:\n" +
         proofs;
}

Json ToJson(const AverageBudget& average) {
  const auto point = [](const std::optional<CallsAtCost>& at) {
    return at ? Json{{"cost", at->cost}, {"calls", at->calls}} : Json();
  };
  return {{"wanted", average.wanted},
          {"outcome", Name(average.outcome)},
          {"found", point(average.found)},
          {"above", point(average.above)},
          {"below", point(average.below)}};
}

Json ToJson(const EvaluationCell& cell) {
  Json json{{"name", cell.name}, {"policy", PolicyOf(cell)}};
  const Knob* knob = cell.hindsight ? nullptr : FindKnob(cell.switcher.kind);
  if (knob != nullptr) json[std::string(knob->name)] = cell.switcher.*knob->value;
  if (cell.hindsight) json["max_nodes"] = cell.hindsight->max_nodes;
  json["cost"] = cell.terms.cost;
  json["budget"] = Json();
  if (cell.terms.budget >= 0) {
    const double budget = cell.terms.meter.Amount(cell.terms.budget);
    if (budget == std::floor(budget))
      json["budget"] = static_cast<std::int64_t>(budget);
    else
      json["budget"] = budget;
    json["budget_unit"] = core::UnitName(cell.terms.meter.unit());
  }
  if (cell.average) json["average_calls"] = ToJson(*cell.average);
  return json;
}

Json ToJson(const EvaluationCell& cell, const CellSummary& summary) {
  Json json{{"episodes", summary.episodes},
            {"success", summary.success},
            {"success_low", summary.success_interval.low},
            {"success_high", summary.success_interval.high},
            {"return", summary.total_reward},
            {"value", summary.value},
            {"steps", summary.steps},
            {"calls_per_step", summary.call_share},
            {"calls_per_episode", summary.calls},
            {"quick_tokens", summary.quick_tokens},
            {"deepthink_tokens", summary.deepthink_tokens},
            {"gflops", summary.gflops},
            {"lm_ms_per_decision", summary.lm_ms_per_decision},
            {"total_ms_per_decision", summary.total_ms_per_decision},
            {"refused_calls", summary.refused},
            {"budget_violations", summary.budget_violations}};
  if (cell.hindsight) {
    json["proven"] = summary.proven;
    json["bound"] = summary.bound;
  }
  return json;
}

Json KindsToJson(const CellResult& result) {
  std::map<std::string, CellResult> kinds;
  for (const EpisodeRow& row : result.rows) kinds[row.result.kind].rows.push_back(row);
  Json json = Json::object();
  for (const auto& [kind, rows] : kinds) {
    const CellSummary summary = Summarize(rows);
    json[kind] = {{"episodes", summary.episodes},
                  {"success", summary.success},
                  {"calls_per_step", summary.call_share}};
  }
  return json;
}

Json ToJson(const EpisodeRow& row) {
  const EpisodeResult& result = row.result;
  const auto milliseconds = [](core::Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  Json json{{"seed", row.seed},
            {"kind", result.kind},
            {"success", result.success},
            {"return", result.total_reward},
            {"steps", result.steps},
            {"calls", result.calls},
            {"refused_calls", result.refused},
            {"call_steps", result.call_steps},
            {"changed_steps", result.changed_steps},
            {"call_disagreements", result.call_disagreements},
            {"quick_tokens", result.quick.tokens},
            {"deepthink_tokens", result.deepthink.tokens},
            {"quick_gflops", result.quick.gflops},
            {"deepthink_gflops", result.deepthink.gflops},
            {"lm_ms", result.quick.compute_ms + result.deepthink.compute_ms},
            {"total_ms", milliseconds(result.total_time)}};
  if (row.plan) {
    json["proven"] = row.plan->proven;
    json["bound"] = row.plan->bound;
    json["nodes"] = row.plan->nodes;
  }
  return json;
}

}  // namespace

std::string ToTable(const std::vector<CellResult>& results, std::size_t reference) {
  std::size_t budget_width = 3;
  for (const CellResult& result : results)
    budget_width = std::max(budget_width, BudgetText(result.cell).size());
  std::string table = fmt::format(
      "{:<17} {:>6} {:>{}}  {:>19}  {:>20}  {:>6}  {:>7}  {:>7}  {:>8}  "
      "{:>9}  {:>8}\n",
      "policy",
      "c",
      "B",
      budget_width,
      "success % (95 % CI)",
      "vs " + (reference < results.size() ? results[reference].cell.name : std::string("none")),
      "return",
      "calls/%",
      "calls",
      "tokens",
      "GFLOP",
      "ms/dec");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const CellResult& result = results[i];
    const CellSummary summary = Summarize(result);
    const std::string success = fmt::format("{:.1f} [{:.1f}, {:.1f}]",
                                            100 * summary.success,
                                            100 * summary.success_interval.low,
                                            100 * summary.success_interval.high);
    const bool compared = reference < results.size() && i != reference;
    table += fmt::format(
        "{:<17} {:>6} {:>{}}  {:>19}  {:>20}  {:>6.3f}  {:>7.1f}  {:>7.2f}  {:>8.0f}  {:>9.3f}  "
        "{:>8.2f}\n",
        result.cell.name,
        CostText(result.cell),
        BudgetText(result.cell),
        budget_width,
        success,
        compared ? DifferenceText(SuccessDifference(result, results[reference])) : "",
        summary.total_reward,
        100 * summary.call_share,
        summary.calls,
        summary.quick_tokens + summary.deepthink_tokens,
        summary.gflops,
        summary.lm_ms_per_decision);
  }
  std::int64_t violations = 0;
  for (const CellResult& result : results) violations += Summarize(result).budget_violations;
  const std::size_t episodes = results.empty() ? 0 : results.front().rows.size();
  table += fmt::format(
      "{} episodes per policy, the same seeds; calls/% per step, calls, "
      "tokens and GFLOP per episode; {}budget violations: {}\n",
      episodes,
      UnitText(results),
      violations);
  return table + AverageText(results) + HindsightText(results);
}

std::string ToJson(const std::vector<CellResult>& results,
                   std::size_t reference,
                   bool with_episodes) {
  Json cells = Json::array(), differences = Json::array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const CellResult& result = results[i];
    Json cell = ToJson(result.cell);
    cell["summary"] = ToJson(result.cell, Summarize(result));
    cell["kinds"] = KindsToJson(result);
    if (with_episodes) {
      cell["episodes"] = Json::array();
      for (const EpisodeRow& row : result.rows) cell["episodes"].push_back(ToJson(row));
    }
    cells.push_back(std::move(cell));
    if (reference >= results.size() || i == reference) continue;
    const PairedDifference difference = SuccessDifference(result, results[reference]);
    differences.push_back({{"cell", i},
                           {"reference", reference},
                           {"success", difference.mean},
                           {"low", difference.interval.low},
                           {"high", difference.interval.high}});
  }
  return Json{{"cells", std::move(cells)}, {"differences", std::move(differences)}}.dump(1) + "\n";
}

}  // namespace londi::actors
