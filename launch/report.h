#pragma once

#include <string>
#include <vector>

#include "actors/evaluation.h"
#include "configs/run_config.h"
#include "launch/run_folder.h"
#include "launch/train_run.h"

namespace londi::launch {

// The table of policies, and below it the paired differences of success between the Switcher and
// every rule. For terminals.
std::string ResultsText(const std::vector<actors::CellResult>& results);

// The run for people, as Markdown: what was trained on what and how long, the results, how to read
// them, how to repeat a cell, where the time went.
std::string MakeReport(const RunFolder& folder,
                       const configs::RunConfig& config,
                       const TrainedSoFar& trained,
                       const std::vector<actors::CellResult>& results);

// Writes evaluation.json and report.md. Throws core::IoError.
void WriteResults(const RunFolder& folder,
                  const configs::RunConfig& config,
                  const TrainedSoFar& trained,
                  const std::vector<actors::CellResult>& results);

}  // namespace londi::launch
