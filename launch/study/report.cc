#include "launch/study/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "launch/study/plot.h"

namespace londi::launch::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPercent = 100;

// "97.1 [96.0, 98.2]" times `scale`; "-" where there is nothing.
std::string Text(const Estimate& estimate, int digits, double scale = 1) {
  if (!std::isfinite(estimate.value)) return "-";
  return fmt::format("{0:.{3}f} [{1:.{3}f}, {2:.{3}f}]",
                     scale * estimate.value,
                     scale * estimate.interval.low,
                     scale * estimate.interval.high,
                     digits);
}

Json ToJson(const Estimate& estimate) {
  if (!std::isfinite(estimate.value)) return nullptr;
  return {
      {"value", estimate.value}, {"low", estimate.interval.low}, {"high", estimate.interval.high}};
}

std::string CsvNumber(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : "";
}

std::string PoliciesTable(const StudyResults& results) {
  std::string text =
      "| variant | policy | success %, IQM | success % | minus always-deepthink, points | calls % "
      "of steps | calls | tokens | GFLOP | LM ms | regret |\n"
      "|---|---|---|---:|---|---|---:|---:|---:|---:|---|\n";
  for (const PolicyRow& row : results.policies) {
    const bool is_reference = row.key.name == kDeepthink;
    text += fmt::format(
        "| {} | {} | {} | {:.1f} | {} | {} | {:.2f} | {:.0f} | {:.3f} | {:.2f} | {} |\n",
        row.key.name == kOracle ? "all" : row.variant,
        study::Text(row.key),
        Text(row.success_iqm, 1, kPercent),
        kPercent * row.mean.success,
        is_reference ? "" : Text(row.difference, 1, kPercent),
        Text(row.call_share, 1, kPercent),
        row.mean.calls,
        row.mean.tokens,
        row.mean.gflops,
        row.mean.lm_ms,
        Text(row.regret, 4));
  }
  return text;
}

std::string VariantsTable(const StudyResults& results) {
  std::string text =
      "| variant | x\\*, % of steps | safe, % | x\\* / x\\* of the oracle | area of recovered gap "
      "| "
      "... / that of the oracle |\n|---|---|---:|---|---|---|\n";
  for (const VariantRow& row : results.variants) {
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n",
                        row.variant,
                        Text(row.matched_calls, 1, kPercent),
                        row.safe_calls ? fmt::format("{:.1f}", kPercent * *row.safe_calls) : "-",
                        Text(row.oracle_ratio, 2),
                        Text(row.area, 3),
                        Text(row.oracle_share, 3));
  }
  return text;
}

std::string BudgetsTable(const StudyResults& results) {
  if (results.budgets.empty()) return "";
  std::string text =
      "\n## Under hard budgets\n\nWhat of the success that the oracle gains over always-quick a "
      "Switcher gains under the same budget.\n\n| variant | policy | share of the oracle's gain, % "
      "|\n|---|---|---|\n";
  for (const BudgetRow& row : results.budgets) {
    text += fmt::format(
        "| {} | {} | {} |\n", row.variant, study::Text(row.key), Text(row.share, 1, kPercent));
  }
  return text;
}

std::string ImprovementsTable(const StudyResults& results) {
  if (results.improvements.empty()) return "";
  std::string text =
      "\n## Probability of improvement\n\nThat a run of the first solves more episodes of a kind "
      "than a run of the second, mean over kinds; ties count half.\n\n| first | second | "
      "probability |\n|---|---|---|\n";
  for (const ImprovementRow& row : results.improvements)
    text += fmt::format("| {} | {} | {} |\n", row.x, row.y, Text(row.probability, 2));
  return text;
}

std::string PositionsTable(const StudyResults& results) {
  if (results.positions.empty()) return "";
  std::string text =
      "\n## Where in an episode calls land\n\n![](calls_within_episode.svg)\n\nShare of all calls "
      "in "
      "each tenth of the episode, %.\n\n| policy | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 |\n"
      "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const PositionRow& row : results.positions) {
    text += fmt::format("| {} |", row.policy);
    for (const double share : row.shares) text += fmt::format(" {:.1f} |", kPercent * share);
    text += "\n";
  }
  return text;
}

std::string CalibrationsTable(const StudyResults& results) {
  if (results.calibrations.empty()) return "";
  std::string text =
      "\n## How far the predicted disagreement can be believed\n\nOf the calls before which the "
      "Switcher held it for about equally probable that DEEPTHINK would act otherwise than\nQUICK: "
      "how probable on average, and how often it did. Error: mean difference over calls. Calls "
      "only: what was held\nfor improbable was not tried.\n\n"
      "| policy | share of the calls, % | predicted, % | found, % | error, points |\n"
      "|---|---:|---:|---:|---:|\n";
  for (const CalibrationRow& row : results.calibrations) {
    for (const CalibrationBin& bin : row.bins) {
      text += fmt::format("| {} | {:.1f} | {:.1f} | {:.1f} | |\n",
                          row.policy,
                          kPercent * bin.share,
                          kPercent * bin.predicted,
                          kPercent * bin.found);
    }
    text += fmt::format("| {} | 100.0 | | | {:.1f} |\n", row.policy, kPercent * row.error);
  }
  return text;
}

// What one policy costs, as a plot's horizontal axis.
struct PriceAxis {
  std::string file, label;
  double (*of)(const Measures&);
};
const PriceAxis kPriceAxes[] = {
    {"success_by_calls.svg",
     "DEEPTHINK calls, % of steps",
     [](const Measures& m) { return kPercent * m.call_share; }},
    {"success_by_tokens.svg",
     "computed tokens per episode",
     [](const Measures& m) { return m.tokens; }},
    {"success_by_gflop.svg", "GFLOP per episode", [](const Measures& m) { return m.gflops; }},
    {"success_by_ms.svg",
     "ms in the LMs' forward passes per episode",
     [](const Measures& m) { return m.lm_ms; }},
};

// The Switcher of each variant and the oracle over their costs as lines; the LMs and the first
// variant's rules as points. Without budgets.
Plot MakeFrontierPlot(const StudyResults& results, const PriceAxis& axis) {
  Plot plot{.title = "Success against what it costs",
            .x_label = axis.label,
            .y_label = "success %, IQM, 95 % CI"};
  const std::string first = results.variants.front().variant;
  const auto series = [&](const std::string& name, bool joined) -> PlotSeries& {
    const auto found = std::ranges::find(plot.series, name, &PlotSeries::name);
    if (found != plot.series.end()) return *found;
    return plot.series.emplace_back(PlotSeries{.name = name, .joined = joined});
  };
  for (const PolicyRow& row : results.policies) {
    const bool is_line = row.key.name == kSwitcher || row.key.name == kOracle;
    if (row.key.budget >= 0 || (!is_line && row.variant != first)) continue;
    const std::string name = row.key.name == kSwitcher ? "switcher: " + row.variant : row.key.name;
    const actors::Interval ci = row.success_iqm.interval;
    series(name, is_line)
        .points.push_back({.x = axis.of(row.mean),
                           .y = kPercent * row.success_iqm.value,
                           .bar = actors::Interval{kPercent * ci.low, kPercent * ci.high}});
  }
  for (PlotSeries& each : plot.series) std::ranges::sort(each.points, {}, &PlotPoint::x);
  return plot;
}

// The oracle and the first variant: more lines than that nobody can tell apart; the table has all.
Plot MakePositionsPlot(const StudyResults& results) {
  Plot plot{.title = "Where in an episode calls land",
            .x_label = "tenth of the episode",
            .y_label = "share of calls, %"};
  const std::string first = results.variants.front().variant + ": ";
  for (const PositionRow& row : results.positions) {
    if (!row.policy.starts_with(first) && !row.policy.starts_with(kOracle)) continue;
    PlotSeries& series = plot.series.emplace_back(PlotSeries{.name = row.policy});
    for (std::size_t i = 0; i < row.shares.size(); ++i) {
      series.points.push_back({.x = static_cast<double>(i + 1), .y = kPercent * row.shares[i]});
    }
  }
  return plot;
}

}  // namespace

std::string ToMarkdown(const std::string& name, const StudyResults& results) {
  std::string text = fmt::format(
      "# Study {}\n\n"
      "{} training seeds per variant, {} unseen episodes each, the same for all. In brackets: 95 % "
      "intervals, bootstrap over\nruns and, within their kinds, episodes.\n\n"
      "## As good as always calling DEEPTHINK\n\n{}\n"
      "`x*`: the fewest calls at which success is within {:.1f} points of always-deepthink, on the "
      "line from always-quick through\nthe measured costs to always-deepthink. `safe`: of the "
      "measured costs whose interval excludes a larger loss, the fewest\ncalls. Area: 1 = the "
      "whole "
      "gap between the LMs recovered without a call, 0.5 = calls at random.\n",
      name,
      results.seeds,
      results.episodes,
      VariantsTable(results),
      kPercent * results.margin);
  if (std::isfinite(results.oracle_calls.value)) {
    text += fmt::format(
        "\nx\\* of the hindsight oracle: {} %. It sees the future: it tries calls out before it "
        "makes them, as no Switcher can.\n",
        Text(results.oracle_calls, 1, kPercent));
  }
  text += "\n## Policies\n\n";
  for (const PriceAxis& axis : kPriceAxes) text += fmt::format("![]({})\n", axis.file);
  text +=
      "\n" + PoliciesTable(results) +
      "\nIQM: mean of the middle half of the success of each (run, kind). Tokens, GFLOP and ms "
      "(of the LMs' forward passes) per\nepisode, both LMs. Regret: return minus cost of calls, "
      "the oracle's minus the Switcher's.\n";
  return text + BudgetsTable(results) + ImprovementsTable(results) + PositionsTable(results) +
         CalibrationsTable(results);
}

std::string ToCsv(const StudyResults& results) {
  std::string text =
      "variant,policy,cost,budget,success_iqm,success_iqm_low,success_iqm_high,success,difference,"
      "difference_low,difference_high,calls_per_step,calls_per_step_low,calls_per_step_high,calls,"
      "tokens,gflops,lm_ms,value,regret,regret_low,regret_high\n";
  for (const PolicyRow& row : results.policies) {
    text += fmt::format("{},{},{},{}",
                        row.variant,
                        row.key.name,
                        CsvNumber(row.key.cost),
                        row.key.budget < 0 ? "" : fmt::format("{:g}", row.key.budget));
    const auto add = [&text](double value) { text += "," + CsvNumber(value); };
    const auto add_estimate = [&add](const Estimate& estimate) {
      add(estimate.value);
      add(estimate.interval.low);
      add(estimate.interval.high);
    };
    add_estimate(row.success_iqm);
    add(row.mean.success);
    add_estimate(row.difference);
    add_estimate(row.call_share);
    for (const double value :
         {row.mean.calls, row.mean.tokens, row.mean.gflops, row.mean.lm_ms, row.mean.value})
      add(value);
    add_estimate(row.regret);
    text += "\n";
  }
  return text;
}

std::string ToJson(const StudyResults& results) {
  Json json{{"seeds", results.seeds},
            {"episodes", results.episodes},
            {"margin", results.margin},
            {"oracle_calls", ToJson(results.oracle_calls)}};
  json["variants"] = Json::array();
  for (const VariantRow& row : results.variants) {
    json["variants"].push_back({{"variant", row.variant},
                                {"matched_calls", ToJson(row.matched_calls)},
                                {"safe_calls", row.safe_calls ? Json(*row.safe_calls) : Json()},
                                {"oracle_ratio", ToJson(row.oracle_ratio)},
                                {"area", ToJson(row.area)},
                                {"oracle_share", ToJson(row.oracle_share)}});
  }
  json["policies"] = Json::array();
  for (const PolicyRow& row : results.policies) {
    json["policies"].push_back({{"variant", row.variant},
                                {"policy", row.key.name},
                                {"cost", row.key.cost},
                                {"budget", row.key.budget < 0 ? Json() : Json(row.key.budget)},
                                {"success_iqm", ToJson(row.success_iqm)},
                                {"success", row.mean.success},
                                {"difference", ToJson(row.difference)},
                                {"calls_per_step", ToJson(row.call_share)},
                                {"calls", row.mean.calls},
                                {"tokens", row.mean.tokens},
                                {"gflops", row.mean.gflops},
                                {"lm_ms", row.mean.lm_ms},
                                {"value", row.mean.value},
                                {"regret", ToJson(row.regret)}});
  }
  json["budgets"] = Json::array();
  for (const BudgetRow& row : results.budgets) {
    json["budgets"].push_back({{"variant", row.variant},
                               {"cost", row.key.cost},
                               {"budget", row.key.budget},
                               {"share", ToJson(row.share)}});
  }
  json["improvements"] = Json::array();
  for (const ImprovementRow& row : results.improvements)
    json["improvements"].push_back(
        {{"x", row.x}, {"y", row.y}, {"probability", ToJson(row.probability)}});
  json["positions"] = Json::array();
  for (const PositionRow& row : results.positions)
    json["positions"].push_back({{"policy", row.policy}, {"shares", row.shares}});
  json["calibrations"] = Json::array();
  for (const CalibrationRow& row : results.calibrations) {
    Json bins = Json::array();
    for (const CalibrationBin& bin : row.bins)
      bins.push_back({{"share", bin.share}, {"predicted", bin.predicted}, {"found", bin.found}});
    json["calibrations"].push_back(
        {{"policy", row.policy}, {"error", row.error}, {"bins", std::move(bins)}});
  }
  return json.dump(1) + "\n";
}

std::map<std::string, std::string> MakePlots(const StudyResults& results) {
  std::map<std::string, std::string> plots;
  for (const PriceAxis& axis : kPriceAxes)
    plots[axis.file] = ToSvg(MakeFrontierPlot(results, axis));
  if (!results.positions.empty())
    plots["calls_within_episode.svg"] = ToSvg(MakePositionsPlot(results));
  return plots;
}

}  // namespace londi::launch::study
