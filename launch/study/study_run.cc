#include "launch/study/study_run.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "configs/duration_text.h"
#include "configs/study_config.h"
#include "core/clock.h"
#include "core/error.h"
#include "launch/child_process.h"
#include "launch/run_folder.h"
#include "launch/shell_words.h"
#include "launch/signals.h"
#include "launch/study/cells.h"
#include "launch/study/report.h"
#include "launch/study/results.h"
#include "launch/terminal.h"
#include "launch/train_run.h"
#include "launch/whole_run.h"
#include "launch/wiring.h"
#include "learner/checkpoint.h"

namespace londi::launch {
namespace {

using configs::NamedSets;
using study::Cell;
using study::CellState;
using study::Step;

constexpr std::chrono::milliseconds kRefresh{250};

std::string LastLines(const std::filesystem::path& file) {
  std::deque<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
    if (lines.size() > 4) lines.pop_front();
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

// Its work, cell by cell.
class Study {
 public:
  explicit Study(const StudyOptions& options)
      : config_(configs::LoadStudyConfig(options.config, options.sets)),
        again_(fmt::format(
            "londi study {}{}", ShellWord(options.config.string()), SetOptions(options.sets))),
        evaluations_(config_.ParsedEvaluations()),
        cells_(study::MakeCells(config_)),
        folder_{study::StudyFolder(config_)} {
    for (const Cell& cell : cells_) {
      run_configs_.push_back(configs::LoadRunConfig(
          config_.config, config_.SetsOf(cell.variant, cell.seed, cell.folder)));
    }
  }

  int Run(bool only_report) {
    // Two studies in one folder would train the same cells. A report may be made beside one.
    std::optional<RunLock> lock;
    if (!only_report) {
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        if (Next(i) == Step::kTrain) RequireRows(run_configs_[i]);
      }
      MakeFolder();
      lock.emplace(folder_);
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) RequireSame(i);
    if (!only_report && !WorkThrough()) {
      terminal_.Say(fmt::format("stopped; go on with: {}", again_));
      return kStatusInterrupted;
    }
    Report();
    return 0;
  }

 private:
  void MakeFolder() const {
    std::error_code error;
    std::filesystem::create_directories(folder_.path, error);
    if (!error) return;
    throw core::IoError({.what = "cannot make the folder " + folder_.path.string(),
                         .why = error.message(),
                         .fix = "choose another place with --set study.folder=FOLDER"});
  }

  // Not found out when the other seeds have been trained.
  void RequireRows(const configs::RunConfig& config) const {
    const std::filesystem::path& from = config.run.rows_from;
    if (from.empty() || FindRun(from)) return;
    throw core::IoError({.what = "there is no run in " + from.string(),
                         .why = "a run of this study learns from its rows",
                         .fix = "make the study whose rows these are first, or name another with "
                                "--set study.rows_from=STUDY/VARIANT"});
  }

  // Numbers of one table come from one configuration: whoever changed it hears of it.
  void RequireSame(std::size_t index) const {
    const CellState state = study::ReadState(cells_[index]);
    if (state.config.empty()) return;
    const auto differences = learner::ConfigDifferences(
        study::WithNewOptions(state.config, configs::ToLines(configs::RunConfig())), Lines(index));
    if (differences.empty()) return;
    throw core::ConfigError(
        {.what = fmt::format("{} was begun with another configuration:\n  {}",
                             cells_[index].Text(),
                             fmt::join(differences, "\n  ")),
         .why = "runs of one study are compared: they differ in what their variants say, only",
         .fix = fmt::format("choose another study.name, or delete {}",
                            cells_[index].folder.string())});
  }

  std::vector<std::string> Lines(std::size_t index) const {
    std::vector<std::string> lines = configs::ToLines(run_configs_[index]);
    lines.push_back(fmt::format("study.episodes = {}", config_.episodes));
    lines.push_back(fmt::format("study.oracle = {}", cells_[index].oracle));
    return lines;
  }

  // False: stopped.
  bool WorkThrough() {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      while (Next(i) != Step::kDone) {
        if (!DoStep(i)) return false;
      }
    }
    return true;
  }

  Step Next(std::size_t index) const {
    const Cell& cell = cells_[index];
    const CellState state = study::ReadState(cell);
    const bool evaluated = std::ranges::all_of(
        evaluations_, [&](const NamedSets& where) { return IsThere(cell, state, where); });
    return study::NextStep(state, FindRun(cell.folder).has_value(), evaluated);
  }

  static bool IsThere(const Cell& cell, const CellState& state, const NamedSets& where) {
    return study::IsEvaluated(state, where) && std::filesystem::exists(cell.evaluation(where));
  }

  // The first that is missing; the last, when none is.
  const NamedSets& NextEvaluation(const Cell& cell) const {
    const CellState state = study::ReadState(cell);
    for (const NamedSets& where : evaluations_) {
      if (!IsThere(cell, state, where)) return where;
    }
    return evaluations_.back();
  }

  bool DoStep(std::size_t index) {
    const Cell& cell = cells_[index];
    CellState state = study::ReadState(cell);
    const Step step = Next(index);
    const NamedSets& where = NextEvaluation(cell);
    const auto started = clock_.Now();
    if (step == Step::kTrain) {
      std::filesystem::create_directories(cell.folder);
      state = {.config = Lines(index)};  // Of a run that was deleted nothing holds any more.
      study::WriteState(cell, state);
    } else if (step == Step::kEvaluate) {
      study::ForgetEvaluation(state, where);
      study::WriteState(cell, state);
    }
    if (!RunChild(index, step, where)) return false;
    if (step == Step::kEvaluate) {
      state.evaluated[study::EvaluationKey(where)] =
          std::chrono::duration<double>(clock_.Now() - started).count();
    } else {
      state.trained = true;
    }
    study::WriteState(cell, state);
    return true;
  }

  std::vector<std::string> ArgumentsOf(const Cell& cell, Step step, const NamedSets& where) const {
    if (step == Step::kTrain) {
      std::vector<std::string> arguments = {"train", config_.config.string(), "--no-evaluation"};
      for (const std::string& set : config_.SetsOf(cell.variant, cell.seed, cell.folder))
        arguments.insert(arguments.end(), {"--set", set});
      return arguments;
    }
    const std::string run = FindRun(cell.folder)->path.string();
    if (step == Step::kResume) return {"train", "--no-evaluation", "--resume", run};
    std::vector<std::string> arguments = {
        "eval", run, "--episodes", std::to_string(config_.episodes)};
    if (cell.oracle && where.name.empty()) arguments.push_back("--oracle");
    for (const std::string& set : where.sets) arguments.insert(arguments.end(), {"--set", set});
    arguments.insert(arguments.end(), {"--json", cell.evaluation(where).string()});
    return arguments;
  }

  // Until it ends. False: a person ended it. Throws when it failed.
  bool RunChild(std::size_t index, Step step, const NamedSets& where) {
    const Cell& cell = cells_[index];
    const std::string work = step != Step::kEvaluate ? "training"
                             : where.name.empty()    ? "evaluating"
                                                     : "evaluating (" + where.name + ")";
    const core::TimePoint started = clock_.Now();
    ChildProcess child({.name = work,
                        .executable = "/proc/self/exe",
                        .arguments = ArgumentsOf(cell, step, where),
                        .output = cell.log()});
    terminal_.BeginWork();
    int passed_on = 0;
    while (true) {
      const auto exit = child.TryReap();
      if (exit && signals_.num_stop_requests() > 0) return false;
      if (exit && exit->succeeded()) return true;
      if (exit) {
        ThrowAfter(
            *exit,
            {.what = fmt::format("{} {} failed ({})", work, cell.Text(), exit->Text()),
             .why = LastLines(cell.log()),
             .fix = fmt::format("see {}; then go on with: {}", cell.log().string(), again_)});
      }
      for (; passed_on < signals_.num_stop_requests(); ++passed_on) child.Signal(SIGINT);
      const core::TimePoint now = clock_.Now();
      terminal_.Progress(fmt::format("run {} of {}: {} {} ({}){}",
                                     index + 1,
                                     cells_.size(),
                                     work,
                                     cell.Text(),
                                     configs::RoughDuration(now - started),
                                     TimeLeftText(index, now - started)),
                         now);
      signals_.WaitUntil(now + kRefresh);
    }
  }

  // Of `index` on, whose step under way has taken `spent`.
  std::string TimeLeftText(std::size_t index, core::Duration spent) const {
    study::Work done, left_to_do;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      const CellState state = study::ReadState(cells_[i]);
      for (const auto& [key, seconds] : state.evaluated) done.AddEvaluation(seconds);
      if (const auto run = FindRun(cells_[i].folder); state.trained && run)
        done.AddTraining(ReadTrained(*run).time);
      if (i < index) continue;
      left_to_do.evaluations += static_cast<int>(std::ranges::count_if(
          evaluations_, [&](const NamedSets& where) { return !IsThere(cells_[i], state, where); }));
      if (!state.trained) left_to_do.AddTraining(run_configs_[i].run.duration);
    }
    const auto left = study::TimeLeft(left_to_do, done);
    if (!left) return "";
    const auto rest = std::max<std::chrono::duration<double>>(*left - spent, {});
    return fmt::format(
        " | about {} left",
        configs::RoughDuration(std::chrono::duration_cast<std::chrono::nanoseconds>(rest)));
  }

  // The seeds that all variants have been evaluated with there; empty: none has.
  std::vector<study::VariantRuns> ReadRuns(const NamedSets& where) const {
    std::vector<study::VariantRuns> variants;
    for (const NamedSets& variant : config_.ParsedVariants())
      variants.push_back({.name = variant.name});
    std::size_t missing = 0;
    for (const std::int32_t seed : config_.seeds) {
      std::vector<const Cell*> of_seed;
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Cell& cell = cells_[i];
        if (cell.seed == seed && IsThere(cell, study::ReadState(cell), where))
          of_seed.push_back(&cell);
      }
      if (of_seed.size() < variants.size()) {
        ++missing;
        continue;
      }
      for (std::size_t v = 0; v < variants.size(); ++v)
        variants[v].runs.push_back(study::ReadEvaluation(of_seed[v]->evaluation(where)));
    }
    if (missing == config_.seeds.size()) return {};
    if (missing > 0) {
      terminal_.Say(fmt::format("of {} seeds {} are not evaluated with all variants yet{}",
                                config_.seeds.size(),
                                missing,
                                where.name.empty() ? "" : " (" + where.name + ")"));
    }
    return variants;
  }

  void Report() const {
    for (const NamedSets& where : evaluations_) {
      const std::vector<study::VariantRuns> runs = ReadRuns(where);
      if (!runs.empty()) {
        ReportOn(runs, where);
      } else if (where.name.empty()) {
        throw core::Error({.what = "there is nothing to report in " + folder_.path.string(),
                           .why = "no training seed has been evaluated with all variants yet",
                           .fix = fmt::format("go on with: {}", again_)});
      }
    }
  }

  void ReportOn(const std::vector<study::VariantRuns>& runs, const NamedSets& where) const {
    const study::StudyResults results =
        study::Analyse(runs, {.margin = config_.margin, .resamples = config_.resamples});
    const std::filesystem::path folder = folder_.path / where.name;
    std::filesystem::create_directories(folder);
    const auto write = [&](const std::string& name, const std::string& text) {
      WriteFileAtomically(folder / name, text);
    };
    const std::string report = study::ToMarkdown(
        where.name.empty() ? config_.name : config_.name + ", " + where.name, results);
    write("report.md", report);
    write("results.csv", study::ToCsv(results));
    write("results.json", study::ToJson(results));
    for (const auto& [name, svg] : study::MakePlots(results)) write(name, svg);
    terminal_.Say("\n" + report);
    terminal_.Say(fmt::format("report: {}", (folder / "report.md").string()));
  }

  Signals signals_;
  const core::SystemClock clock_;
  mutable Terminal terminal_;
  const configs::StudyConfig config_;
  const std::string again_;  // The command that goes on.
  const std::vector<NamedSets> evaluations_;
  const std::vector<Cell> cells_;
  const RunFolder folder_;
  std::vector<configs::RunConfig> run_configs_;  // [cells]
};

}  // namespace

int RunStudy(const StudyOptions& options) { return Study(options).Run(options.only_report); }

}  // namespace londi::launch
