#include "launch/whole_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <thread>

#include "configs/duration_text.h"
#include "configs/run_config.h"
#include "core/error.h"
#include "launch/evaluate_run.h"
#include "launch/former_rows.h"
#include "launch/local_job.h"
#include "launch/local_lms.h"
#include "launch/process_job.h"
#include "launch/report.h"
#include "launch/run_folder.h"
#include "launch/shell_words.h"
#include "launch/signals.h"
#include "launch/terminal.h"
#include "launch/train_run.h"
#include "launch/wiring.h"
#include "learner/checkpoint.h"
#include "monitor/event_log.h"
#include "monitor/log.h"

namespace londi::launch {
namespace {

struct Prepared {
  RunFolder folder;
  configs::RunConfig config;
};

void CheckInProcess(const WholeRunOptions& options, const configs::RunConfig& config) {
  if (options.in_process && !config.run.rows_from.empty()) {
    throw core::ConfigError({.what = "--in-process was given although run.rows_from is set",
                             .why = "nobody acts then: the learner is alone, in its own process",
                             .fix = "leave --in-process out"});
  }
}

// A run folder with its resolved configuration in it.
Prepared Prepare(const WholeRunOptions& options, Terminal& terminal) {
  if (options.resume.empty()) {
    configs::RunConfig config = configs::LoadRunConfig(options.config, options.sets);
    CheckModels(config);
    CheckInProcess(options, config);
    const RunFolder folder = CreateRunFolder(config.run.folder, config.run.name);
    if (!config.run.rows_from.empty()) {
      try {
        TakeRows(folder, config);
      } catch (...) {
        std::filesystem::remove_all(folder.path);
        throw;
      }
    }
    WriteFileAtomically(folder.config(), configs::ToYaml(config));
    return {folder, config};
  }
  const RunFolder folder = OpenRunFolder(options.resume);
  const auto before = configs::LoadRunConfig(folder.config(), {});
  const auto config = configs::LoadRunConfig(folder.config(), options.sets);
  CheckModels(config);
  CheckInProcess(options, config);
  RequireSameBudgetUnit(before, config);
  CheckCheckpoint(folder, config, monitor::MakeNullLogger());
  for (const std::string& difference :
       learner::ConfigDifferences(configs::ToLines(before), configs::ToLines(config))) {
    terminal.Say("changed: " + difference);
  }
  return {folder, config};
}

std::unique_ptr<Job> StartJob(const WholeRunOptions& options, const ProcessJobParts& parts) {
  if (options.in_process || parts.config.run.lock_step > 0) return StartLocalJob(parts);
  return StartProcessJob(parts);
}

std::string WhereFrom(const WholeRunOptions& options, const configs::RunConfig& config) {
  if (!config.run.rows_from.empty())
    return fmt::format(", at most {} updates from the rows of {}",
                       config.learner.max_updates,
                       config.run.rows_from.string());
  if (config.run.lock_step > 0)
    return fmt::format(", in turns, {} updates in all", config.learner.max_updates);
  return options.in_process ? ", all roles in this process" : "";
}

// Returns false when a person ended it.
bool TrainRun(const WholeRunOptions& options,
              const Prepared& run,
              const ProcessJobParts& parts,
              Terminal& terminal) {
  const TrainedSoFar trained = ReadTrained(run.folder);
  const auto limits = ReachedLimits(run.config, trained);
  if (IsOver(run.folder, run.config, trained)) {
    terminal.Say(fmt::format("this run has reached {}; raise that with --set to train on",
                             fmt::join(limits, " and ")));
    return true;
  }
  const std::chrono::milliseconds repeated = TimeToRepeat(run.config, trained);
  if (repeated.count() > 0) {
    terminal.Say(fmt::format("the session before did not end in order: {} of it are trained again",
                             configs::RoughDuration(repeated)));
  }
  const core::Duration left =
      repeated + (limits.empty() ? run.config.run.duration - trained.time : core::Duration(0));
  terminal.Say(fmt::format("training for {} in {}{}",
                           configs::RoughDuration(left),
                           run.folder.path.string(),
                           WhereFrom(options, run.config)));
  // A resumed run goes on with what it was asked for now.
  WriteFileAtomically(run.folder.config(), configs::ToYaml(run.config));
  const std::unique_ptr<Job> job = StartJob(options, parts);
  std::jthread beside;
  if (options.beside) {
    beside = std::jthread([&](std::stop_token stop) { options.beside(stop, run.folder); });
  }
  const TrainEnd end = Train(*job,
                             {.folder = run.folder,
                              .config = run.config,
                              .signals = parts.signals,
                              .clock = parts.clock,
                              .terminal = terminal});
  return end == TrainEnd::kFinished;
}

void EvaluateAndReport(const Prepared& run, const ProcessJobParts& parts, Terminal& terminal) {
  monitor::Metrics metrics;
  LocalLms lms(run.config, metrics, parts.logger);
  const auto results =
      EvaluatePlan(run.config.evaluation,
                   {.config = run.config,
                    .quick = lms.quick(),
                    .deepthink = lms.deepthink(),
                    .weights = LoadTrainedSwitcher(run.folder, run.config, parts.logger),
                    .make_environment = MakeEnvironmentFactory(run.config.environment),
                    .signals = parts.signals,
                    .clock = parts.clock,
                    .terminal = terminal,
                    .check_lms = [&lms] { lms.ThrowIfFailed(); }});
  if (results.empty() || results.front().rows.empty()) {
    terminal.Say(
        fmt::format("evaluation stopped; repeat it with: londi eval {}", run.folder.path.string()));
    return;
  }
  WriteResults(run.folder, run.config, ReadTrained(run.folder), results);
  terminal.Say("\n" + ResultsText(results));
  terminal.Say(fmt::format("report: {}", run.folder.report().string()));
}

}  // namespace

int RunWhole(const WholeRunOptions& options) {
  Signals signals;
  Terminal terminal;
  const Prepared run = Prepare(options, terminal);
  const RunLock lock(run.folder);
  const core::SystemClock clock;
  const monitor::Logger logger = monitor::MakeLogger({.role = "train",
                                                      .level = run.config.run.log_level,
                                                      .file = run.folder.logs() / "train.log",
                                                      .console_level = "warn"});
  monitor::EventLog events(run.folder.events(), "train");
  events.Append(options.resume.empty() ? "run_started" : "run_resumed");
  const ProcessJobParts parts{.folder = run.folder,
                              .config = run.config,
                              .signals = signals,
                              .clock = clock,
                              .logger = logger,
                              .events = events};
  if (!TrainRun(options, run, parts, terminal)) {
    events.Append("run_interrupted");
    terminal.Say(
        fmt::format("go on with: londi train --resume {}", ShellWord(run.folder.path.string())));
    return kStatusInterrupted;
  }
  if (options.evaluate) EvaluateAndReport(run, parts, terminal);
  events.Append("run_finished");
  return signals.num_stop_requests() > 0 ? kStatusInterrupted : 0;
}

}  // namespace londi::launch
