#include "launch/former_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "learner/replay/segment_log.h"

namespace londi::launch {

std::int64_t UpdatesFrom(std::int64_t rows, const learner::LearnerOptions& options) {
  const auto learned = static_cast<double>(std::max<std::int64_t>(rows - options.rate.min_rows, 0));
  const double samples = learned * options.rate.samples_per_row + options.rate.slack;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(samples) / options.batch.batch_size);
}

void RequireSameBudgetUnit(const configs::RunConfig& rows, const configs::RunConfig& config) {
  const actors::TermsOptions &theirs = rows.actor.terms, &ours = config.actor.terms;
  if (theirs.budget_unit == ours.budget_unit && theirs.call_price == ours.call_price) return;
  throw core::ConfigError(
      {.what = fmt::format("the rows' budgets count {} (call_price {:g}), this configuration's {} "
                           "({:g})",
                           core::UnitName(theirs.budget_unit),
                           theirs.call_price,
                           core::UnitName(ours.budget_unit),
                           ours.call_price),
       .why = "what was left of a budget stands in every row, as a number of that",
       .fix = "set actor.terms.budget_unit and actor.terms.call_price as they were, or begin a new "
              "run"});
}

void TakeRows(const RunFolder& folder, configs::RunConfig& config) {
  // Not OpenRunFolder: who only reads it need not be able to write to it.
  const std::optional<RunFolder> former = FindRun(config.run.rows_from);
  if (!former) {
    throw core::IoError({.what = fmt::format("{} is not a run", config.run.rows_from.string()),
                         .why = "neither it nor a folder in it has a config.yaml",
                         .fix = "name the folder of a run, or of its runs, with run.rows_from"});
  }
  config.run.rows_from = former->path;
  learner::CopySegments(former->transitions(), folder.transitions());
  RequireSameBudgetUnit(configs::LoadRunConfig(former->config(), {}), config);
  const learner::SegmentLog log(folder.transitions(), config.transition_log);
  const std::int64_t rows = log.end() - log.begin();
  if (rows < config.learner.rate.min_rows) {
    throw core::ConfigError(
        {.what = fmt::format("{} has {} rows", config.run.rows_from.string(), rows),
         .why = fmt::format("learner.rate.min_rows is {}: nothing is learned from fewer",
                            config.learner.rate.min_rows),
         .fix = "name a run that has trained longer, or lower learner.rate.min_rows"});
  }
  const std::int64_t updates = UpdatesFrom(rows, config.learner);
  std::int64_t& limit = config.learner.max_updates;
  limit = limit == 0 ? updates : std::min(limit, updates);
}

}  // namespace londi::launch
