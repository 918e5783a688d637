#include "launch/report.h"

#include <fmt/format.h>

#include "actors/evaluation_report.h"
#include "configs/duration_text.h"
#include "launch/evaluate_run.h"
#include "launch/time_use.h"

namespace londi::launch {

namespace {

bool IsSwitcher(const actors::CellResult& result) { return actors::PolicyOf(result.cell) == "mlp"; }

// A rule that has a budget is no match for a Switcher that has another; the oracle was asked at one
// cost and budget.
bool AreComparable(const actors::EvaluationCell& ours, const actors::EvaluationCell& rule) {
  if (rule.hindsight)
    return rule.terms.budget == ours.terms.budget && rule.terms.cost == ours.terms.cost;
  return rule.terms.budget < 0 || rule.terms.budget == ours.terms.budget;
}

std::string BudgetText(const actors::EvaluationCell& cell) {
  if (cell.average) return fmt::format(" B=~{:g}", cell.average->wanted);
  if (cell.terms.budget < 0) return "";
  return fmt::format(" B={:g}", cell.terms.meter.Amount(cell.terms.budget));
}

std::string Experience(const configs::RunConfig& config, const TrainedSoFar& trained) {
  if (!config.run.rows_from.empty())
    return fmt::format("{} rows of the run `{}`", trained.work.rows, config.run.rows_from.string());
  return fmt::format("{} decisions in {} episodes", trained.work.decisions, trained.work.episodes);
}

// Empty where there is nothing to compare.
std::string Differences(const std::vector<actors::CellResult>& results) {
  std::string text;
  for (const actors::CellResult& ours : results) {
    for (const actors::CellResult& rule : results) {
      if (!IsSwitcher(ours) || IsSwitcher(rule) || !AreComparable(ours.cell, rule.cell)) continue;
      const actors::PairedDifference difference = actors::SuccessDifference(ours, rule);
      text += fmt::format(
          "{:<24} minus {:<17} {:+6.1f} [{:+.1f}, {:+.1f}]{}\n",
          fmt::format("{} c={:.3g}{}", ours.cell.name, ours.cell.terms.cost, BudgetText(ours.cell)),
          rule.cell.name + BudgetText(rule.cell),
          100 * difference.mean,
          100 * difference.interval.low,
          100 * difference.interval.high,
          difference.excludes_zero() ? " *" : "");
    }
  }
  if (text.empty()) return text;
  return "\nsuccess in points, paired by episode, 95 % CI; * = excludes 0\n" + text;
}

}  // namespace

std::string ResultsText(const std::vector<actors::CellResult>& results) {
  return actors::ToTable(results, ReferenceCell(results)) + Differences(results);
}

std::string MakeReport(const RunFolder& folder,
                       const configs::RunConfig& config,
                       const TrainedSoFar& trained,
                       const std::vector<actors::CellResult>& results) {
  const std::size_t episodes = results.empty() ? 0 : results.front().rows.size();
  return fmt::format(
      "# Run {}\n\n"
      "Environment `{}`, QUICK `{}`, DEEPTHINK `{}`.\n"
      "Trained for {}: {}, {} updates.\n\n"
      "## Policies on {} unseen episodes, the same for all\n\n"
      "```\n{}```\n\n"
      "`c` is the cost of a DEEPTHINK call, `B` the budget of {} per episode; all Switcher "
      "rows\n"
      "come from the one trained network. Rules call DEEPTHINK as often per step as the Switcher "
      "does\n"
      "at its first cost, under a budget as often per episode as it does under that; swift-sage "
      "calls\n"
      "as often as it likes.\n\n"
      "Repeat a row with more episodes: `londi eval {} --cost {} --episodes 2000`.\n"
      "Numbers: `evaluation.json`. Configuration: `config.yaml`. Diary: `events.jsonl`.\n\n"
      "## Where the time went\n\n"
      "{}",
      folder.path.filename().string(),
      config.environment.id,
      config.quick.model.filename().string(),
      config.deepthink.model.filename().string(),
      configs::RoughDuration(trained.time),
      Experience(config, trained),
      trained.work.updates,
      episodes,
      ResultsText(results),
      core::UnitName(config.actor.terms.budget_unit),
      folder.path.string(),
      config.evaluation.costs.front(),
      DescribeTimeUse(ReadTimeUse(folder.metrics()), trained.time));
}

void WriteResults(const RunFolder& folder,
                  const configs::RunConfig& config,
                  const TrainedSoFar& trained,
                  const std::vector<actors::CellResult>& results) {
  WriteFileAtomically(folder.evaluation(), actors::ToJson(results, ReferenceCell(results), true));
  WriteFileAtomically(folder.report(), MakeReport(folder, config, trained, results));
}

}  // namespace londi::launch
