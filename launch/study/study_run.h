#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace londi::launch {

struct StudyOptions {
  std::filesystem::path config;
  std::vector<std::string> sets;  // "study.key=value" on top.
  bool only_report = false;       // Of what there is; nothing is trained or evaluated.
};

// `londi study`: trains and evaluates every cell that is not done, one after the other, each as
// child processes `londi train` and `londi eval`, then writes report.md, results.csv, results.json
// and the plots into the study's folder. A study that was ended, however that was, goes on. Returns
// the exit status; throws core::Error.
int RunStudy(const StudyOptions& options);

}  // namespace londi::launch
