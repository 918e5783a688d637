#pragma once

#include <string>
#include <vector>

#include "actors/evaluation.h"

namespace londi::actors {

// For people: one line per cell, and below it how each cell's success differs from that of the cell
// `reference` (an index), paired.
//
//   policy            c      B   success % (95 % CI)  return  calls/step %  calls  ktokens  GFLOP
//   ms
std::string ToTable(const std::vector<CellResult>& results, std::size_t reference);

// {"cells": [{"name", "cost", "budget" (null = unlimited), "switcher", "summary": {...},
// "episodes":
// [{...}]}], "differences": [{"cell", "reference", "mean", "low", "high"}]}. `with_episodes`: one
// object per episode too.
std::string ToJson(const std::vector<CellResult>& results,
                   std::size_t reference,
                   bool with_episodes);

}  // namespace londi::actors
