#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "configs/run_config.h"
#include "configs/strict_yaml.h"

namespace londi::configs {

// Changes of a study's configuration, for a variant or for a place to evaluate in.
struct NamedSets {
  std::string name;               // Letters, digits, '-' and '_'; empty: the configuration itself.
  std::vector<std::string> sets;  // "section.key=value"
};

// Many runs to be compared (`londi study`): every variant with every training seed, each evaluated
// at all costs and budgets of `evaluation`.
struct StudyConfig {
  std::string name = "study";                // Names the study's folder.
  std::filesystem::path folder = "studies";  // It is made in it.
  std::filesystem::path config;              // Of all runs.
  std::vector<std::string> sets;             // Changes of it in all runs.
  // A variant's folder in a former study: the run with a seed learns from the rows that the run
  // with the same seed acted there, and acts not at all. Empty: runs act.
  std::filesystem::path rows_from;
  std::vector<std::int32_t> seeds;    // run.seed of each run, all different.
  std::vector<std::string> variants;  // "NAME section.key=value ...", see NamedSets.
  std::vector<std::string> only;      // Names of the variants that are worked on; empty = all.
  std::vector<std::string> also;      // Where else runs are evaluated, in the same form.
  std::int64_t episodes = 1000;       // Unseen ones per policy.
  bool oracle = true;                 // Also the best in hindsight.
  double margin = 0.01;               // Of success: as good as always-deepthink.
  std::int32_t resamples = 1000;      // Of the bootstrap.

  std::vector<NamedSets> ParsedVariants() const;  // Those of `only`. Throws core::ConfigError.
  // First the configuration itself, then `also`. Throws core::ConfigError.
  std::vector<NamedSets> ParsedEvaluations() const;
  // Changes of `config` in one run, the least important first. `folder`: where its run folder is
  // made.
  std::vector<std::string> SetsOf(const NamedSets& variant,
                                  std::int32_t seed,
                                  const std::filesystem::path& run_folder) const;
  // Loads the configuration of every variant and evaluation, so that nothing is found out hours
  // later. Throws core::ConfigError, core::IoError.
  void Validate() const;
};

// Prints the options of `londi study`.
inline constexpr char kPrintStudyOptions[] = "londi config print --study";

// Binds every option. `config` must outlive the table.
void Bind(StudyConfig& config, OptionTable& table);

// Reads `file`, then the `--set` texts, and validates.
StudyConfig LoadStudyConfig(const std::filesystem::path& file,
                            const std::vector<std::string>& sets);

}  // namespace londi::configs
