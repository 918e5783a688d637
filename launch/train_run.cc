#include "launch/train_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "configs/duration_text.h"

namespace londi::launch {
namespace {

constexpr std::chrono::milliseconds kRefresh{250};
constexpr std::chrono::seconds kSaveEvery{5};

// Until the first of the limits on time and updates is reached, at the present rate.
std::chrono::seconds TimeLeft(const configs::RunConfig& config,
                              const TrainedSoFar& trained,
                              double updates_per_second) {
  std::chrono::duration<double> left = config.run.duration - trained.time;
  if (config.learner.max_updates > 0 && updates_per_second > 0) {
    const std::int64_t updates = config.learner.max_updates - trained.work.updates;
    left = std::min(
        left, std::chrono::duration<double>(static_cast<double>(updates) / updates_per_second));
  }
  return std::chrono::ceil<std::chrono::seconds>(left);
}

}  // namespace

TrainedSoFar ReadTrained(const RunFolder& folder) {
  TrainedSoFar trained;
  std::ifstream in(folder.trained());
  const auto root = nlohmann::json::parse(in, nullptr, false);
  if (root.is_object()) {
    trained.time = std::chrono::milliseconds(root.value("milliseconds", std::int64_t{0}));
    trained.work.decisions = root.value("decisions", std::int64_t{0});
    trained.work.episodes = root.value("episodes", std::int64_t{0});
    trained.work.updates = root.value("updates", std::int64_t{0});
  }
  return trained;
}

void WriteTrained(const RunFolder& folder, const TrainedSoFar& trained) {
  WriteFileAtomically(folder.trained(),
                      nlohmann::json{{"milliseconds", trained.time.count()},
                                     {"decisions", trained.work.decisions},
                                     {"episodes", trained.work.episodes},
                                     {"updates", trained.work.updates}}
                          .dump());
}

bool IsTrained(const configs::RunConfig& config, const TrainedSoFar& trained) {
  const auto reached = [](std::int64_t limit, std::int64_t now) {
    return limit > 0 && now >= limit;
  };
  return trained.time >= config.run.duration ||
         reached(config.run.max_decisions, trained.work.decisions) ||
         reached(config.learner.max_updates, trained.work.updates);
}

TrainEnd Train(Job& job, const TrainParts& parts) {
  TrainedSoFar trained = ReadTrained(parts.folder);
  const auto before = trained.time;
  const core::TimePoint started = parts.clock.Now();
  core::TimePoint next_save = started;
  ProgressMeter meter;
  while (parts.signals.num_stop_requests() == 0) {
    job.Poll();
    const core::TimePoint now = parts.clock.Now();
    trained.time = before + std::chrono::floor<std::chrono::milliseconds>(now - started);
    trained.work = job.Progress();
    const ProgressRates rates = meter.Add(trained.work, now);
    parts.terminal.Progress(
        ProgressLine(rates, TimeLeft(parts.config, trained, rates.updates_per_second)), now);
    if (now >= next_save) {
      WriteTrained(parts.folder, trained);
      next_save = now + kSaveEvery;
    }
    if (IsTrained(parts.config, trained)) break;
    parts.signals.WaitUntil(now + kRefresh);
  }
  const bool interrupted = parts.signals.num_stop_requests() > 0;
  parts.terminal.Say(
      fmt::format("{} {}the learner writes a checkpoint{}",
                  interrupted ? "stopping:" : "training is over;",
                  parts.config.run.rows_from.empty() ? "actors hand over their rows, " : "",
                  interrupted ? " (once more Ctrl-C: at once)" : ""));
  WriteTrained(parts.folder, trained);  // Also if Stop throws.
  job.Stop([&] { return parts.signals.num_stop_requests() > 1; });
  trained.work = job.Progress();
  WriteTrained(parts.folder, trained);
  return interrupted ? TrainEnd::kInterrupted : TrainEnd::kFinished;
}

}  // namespace londi::launch
