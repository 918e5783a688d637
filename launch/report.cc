#include "launch/report.h"

#include <fmt/format.h>

#include "actors/evaluation_report.h"
#include "configs/duration_text.h"
#include "launch/evaluate_run.h"

namespace londi::launch {

std::string MakeReport(const RunFolder& folder,
                       const configs::RunConfig& config,
                       const TrainedSoFar& trained,
                       const std::vector<actors::CellResult>& results) {
  const std::size_t episodes = results.empty() ? 0 : results.front().rows.size();
  return fmt::format(
      "# Run {}\n\n"
      "Environment `{}`, QUICK `{}`, DEEPTHINK `{}`.\n"
      "Trained for {}: {} decisions in {} episodes, {} updates.\n\n"
      "## Policies on {} unseen episodes, the same for all\n\n"
      "```\n{}```\n\n"
      "`c` is the cost of a DEEPTHINK call, `B` the budget of calls per episode; all Switcher "
      "rows\n"
      "come from the one trained network. Random and entropy call DEEPTHINK as often as the "
      "Switcher\n"
      "does at its first cost.\n\n"
      "Repeat a row with more episodes: `londi eval {} --cost {} --episodes 2000`.\n"
      "Numbers: `evaluation.json`. Configuration: `config.yaml`. Diary: `events.jsonl`.\n",
      folder.path.filename().string(),
      config.environment.id,
      config.quick.model.filename().string(),
      config.deepthink.model.filename().string(),
      configs::RoughDuration(trained.time),
      trained.work.decisions,
      trained.work.episodes,
      trained.work.updates,
      episodes,
      actors::ToTable(results, ReferenceCell(results)),
      folder.path.string(),
      config.evaluation.costs.front());
}

void WriteResults(const RunFolder& folder,
                  const configs::RunConfig& config,
                  const TrainedSoFar& trained,
                  const std::vector<actors::CellResult>& results) {
  WriteFileAtomically(folder.evaluation(), actors::ToJson(results, ReferenceCell(results), true));
  WriteFileAtomically(folder.report(), MakeReport(folder, config, trained, results));
}

}  // namespace londi::launch
