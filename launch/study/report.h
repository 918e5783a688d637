#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "launch/study/results.h"

namespace londi::launch::study {

// Tables for people, with how to read them; the plots are referred to by their file names.
std::string ToMarkdown(const std::string& name, const StudyResults& results);

// One line per policy of each variant: every mean and interval; empty where there is none.
std::string ToCsv(const StudyResults& results);

// All of the results; null where there is none.
std::string ToJson(const StudyResults& results);

// File name -> SVG: success against calls, tokens, GFLOP and the LMs' milliseconds, and where in an
// episode calls of the oracle and the first variant land.
std::map<std::string, std::string> MakePlots(const StudyResults& results);

}  // namespace londi::launch::study
