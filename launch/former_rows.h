#pragma once

#include <cstdint>

#include "configs/run_config.h"
#include "launch/run_folder.h"

namespace londi::launch {

// A run that learns from the rows of a former one (run.rows_from) has a coordinator and a learner,
// no actors and no LM.

// How many updates the rate limiter allows once all of `rows` are there, >= 1: after them nothing
// more is learned. Pure.
std::int64_t UpdatesFrom(std::int64_t rows, const learner::LearnerOptions& options);

// Rows are learned from in the unit and at the scale that they were acted under. Throws
// core::ConfigError where those of `rows` and `config` differ.
void RequireSameBudgetUnit(const configs::RunConfig& rows, const configs::RunConfig& config);

// Brings the rows of `config.run.rows_from`, a run or a folder whose newest run counts, into the
// new run `folder`, and ends the training when they are used up, where learner.max_updates does
// not. `config` names the run itself afterwards. Throws core::IoError (no run or no rows there),
// core::ConfigError (too few, or of another budget unit).
void TakeRows(const RunFolder& folder, configs::RunConfig& config);

}  // namespace londi::launch
