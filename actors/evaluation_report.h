#pragma once

#include <string>
#include <vector>

#include "actors/evaluation.h"

namespace londi::actors {

// For people: one line per cell, then how many episodes and budget violations there were.
//   policy  c  B  success % (95 % CI)  vs REFERENCE  return  calls/%  calls  tokens  GFLOP  ms/dec
// then for each average budget (B is "~N") whether it was reached, and how good the oracle's plans
// are known to be, where there are any.
// "vs": success minus that of the cell `reference` (an index), in points, paired by episode.
std::string ToTable(const std::vector<CellResult>& results, std::size_t reference);

// {"cells": [{"name", "policy", "rate" (random) or "threshold" (entropy) or "max_nodes"
// (hindsight),
//             "cost", "budget" (null =
//             unlimited), "budget_unit" (where there is one), "average_calls" (average budgets):
//             {"wanted", "outcome", "found", "above", "below"}, "summary": {...}, "kinds": {KIND:
//             {...}}, "episodes": [{...}]}],
//  "differences": [{"cell", "reference" (indices of cells), "success", "low", "high"}]}
// `with_episodes`: "episodes" with one object per episode.
std::string ToJson(const std::vector<CellResult>& results,
                   std::size_t reference,
                   bool with_episodes);

}  // namespace londi::actors
