#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "configs/study_config.h"

// The work of a study: a cell is one run of one variant, trained and evaluated. What has been done
// is read from the disk alone, so whoever comes after a kill goes on.
namespace londi::launch::study {

struct Cell {
  configs::NamedSets variant;
  std::int32_t seed = 0;
  bool oracle = false;           // Its evaluation has the oracle's rows, for all cells.
  std::filesystem::path folder;  // <study>/<variant>/seed-<seed>

  std::string Text() const { return variant.name + ", seed " + std::to_string(seed); }
  std::filesystem::path state() const { return folder / "cell.json"; }
  // `where`: one of StudyConfig::ParsedEvaluations.
  std::filesystem::path evaluation(const configs::NamedSets& where = {}) const {
    return folder / (where.name.empty() ? "evaluation.json" : "evaluation-" + where.name + ".json");
  }
  std::filesystem::path log() const { return folder / "log.txt"; }
};

std::filesystem::path StudyFolder(const configs::StudyConfig& config);

// Seed by seed, so that a report of a study half done compares all variants.
std::vector<Cell> MakeCells(const configs::StudyConfig& config);

// Kept in Cell::state().
struct CellState {
  std::vector<std::string> config;  // What it was begun with, "key = value".
  bool trained = false;
  std::map<std::string, double> evaluated;  // EvaluationKey -> seconds that it took.
};
CellState ReadState(const Cell& cell);  // Empty when there is none. Throws core::Error.
void WriteState(const Cell& cell, const CellState& state);

// `config` and those lines of `defaults` whose keys it lacks: an option that londi did not have
// when a cell was begun counts as what it is by default.
std::vector<std::string> WithNewOptions(std::vector<std::string> config,
                                        const std::vector<std::string>& defaults);

// All that an evaluation depends on besides the cell: with other changes it is another one.
std::string EvaluationKey(const configs::NamedSets& where);

// Whether Cell::evaluation(where) is this evaluation. Not where another one of the same name is
// known too, as studies of before kept them: they share the file.
bool IsEvaluated(const CellState& state, const configs::NamedSets& where);

// Before Cell::evaluation(where) is written: what was in it is gone, whatever its changes were.
void ForgetEvaluation(CellState& state, const configs::NamedSets& where);

enum class Step { kTrain, kResume, kEvaluate, kDone };
// `has_run`: training was begun; `has_evaluations`: all that are wanted. Pure.
Step NextStep(const CellState& state, bool has_run, bool has_evaluations);

struct Work {
  int trainings = 0, evaluations = 0;
  std::chrono::duration<double> training{0}, evaluation{0};  // Of all of them.

  void AddTraining(std::chrono::duration<double> time);
  void AddEvaluation(double seconds);
};
// Trainings and evaluations that are left, each as long as the mean of those `done`; trainings as
// long as `left` says while none is, evaluations unknown then: nullopt. Pure.
std::optional<std::chrono::duration<double>> TimeLeft(const Work& left, const Work& done);

}  // namespace londi::launch::study
