#pragma once

#include <string>
#include <vector>

#include "actors/evaluation.h"
#include "configs/run_config.h"
#include "launch/run_folder.h"
#include "launch/train_run.h"

namespace londi::launch {

// The run for people, as Markdown: what was trained on what and how long, the table, how to read
// it, how to repeat a cell.
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
