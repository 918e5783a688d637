#include "launch/study/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "launch/run_folder.h"

namespace londi::launch::study {

std::filesystem::path StudyFolder(const configs::StudyConfig& config) {
  return std::filesystem::absolute(config.folder / config.name).lexically_normal();
}

std::vector<Cell> MakeCells(const configs::StudyConfig& config) {
  std::vector<Cell> cells;
  for (const std::int32_t seed : config.seeds) {
    for (const configs::NamedSets& variant : config.ParsedVariants()) {
      cells.push_back(
          {.variant = variant,
           .seed = seed,
           .oracle = config.oracle && cells.empty(),
           .folder = StudyFolder(config) / variant.name / fmt::format("seed-{}", seed)});
    }
  }
  return cells;
}

CellState ReadState(const Cell& cell) {
  std::ifstream in(cell.state());
  if (!in) return {};
  try {
    const auto json = nlohmann::json::parse(in);
    return {.config = json.at("config"),
            .trained = json.at("trained"),
            // A study of before it was kept has its trainings still.
            .evaluated = json.value("evaluated", std::map<std::string, double>())};
  } catch (const nlohmann::json::exception& error) {
    throw core::Error({.what = cell.state().string() + " is damaged",
                       .why = error.what(),
                       .fix = "delete the folder " + cell.folder.string() +
                              " and run the study again: the run is made anew"});
  }
}

void WriteState(const Cell& cell, const CellState& state) {
  WriteFileAtomically(
      cell.state(),
      nlohmann::ordered_json{
          {"trained", state.trained}, {"evaluated", state.evaluated}, {"config", state.config}}
              .dump(1) +
          "\n");
}

std::vector<std::string> WithNewOptions(std::vector<std::string> config,
                                        const std::vector<std::string>& defaults) {
  const auto key = [](const std::string& line) { return line.substr(0, line.find(" = ")); };
  std::set<std::string> known;
  for (const std::string& line : config) known.insert(key(line));
  for (const std::string& line : defaults) {
    if (!known.contains(key(line))) config.push_back(line);
  }
  return config;
}

std::string EvaluationKey(const configs::NamedSets& where) {
  std::string key = where.name;
  for (const std::string& set : where.sets) key += " " + set;
  return key;
}

namespace {

// A name has no spaces.
bool IsNamed(const std::string& key, const std::string& name) {
  return key.substr(0, key.find(' ')) == name;
}

}  // namespace

bool IsEvaluated(const CellState& state, const configs::NamedSets& where) {
  const auto share_the_file = std::ranges::count_if(
      state.evaluated, [&](const auto& one) { return IsNamed(one.first, where.name); });
  return share_the_file == 1 && state.evaluated.contains(EvaluationKey(where));
}

void ForgetEvaluation(CellState& state, const configs::NamedSets& where) {
  std::erase_if(state.evaluated, [&](const auto& one) { return IsNamed(one.first, where.name); });
}

Step NextStep(const CellState& state, bool has_run, bool has_evaluations) {
  if (!has_run) return Step::kTrain;
  if (!state.trained) return Step::kResume;
  return has_evaluations ? Step::kDone : Step::kEvaluate;
}

void Work::AddTraining(std::chrono::duration<double> time) {
  ++trainings;
  training += time;
}

void Work::AddEvaluation(double seconds) {
  ++evaluations;
  evaluation += std::chrono::duration<double>(seconds);
}

std::optional<std::chrono::duration<double>> TimeLeft(const Work& left, const Work& done) {
  std::chrono::duration<double> time = left.training;
  if (done.trainings > 0) time = done.training / done.trainings * left.trainings;
  if (left.evaluations == 0) return time;
  if (done.evaluations == 0) return std::nullopt;
  return time + done.evaluation / done.evaluations * left.evaluations;
}

}  // namespace londi::launch::study
