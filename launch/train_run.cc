#include "launch/train_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "configs/duration_text.h"
#include "learner/checkpoint.h"

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
  return std::max(std::chrono::ceil<std::chrono::seconds>(left), std::chrono::seconds(0));
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
    if (root.contains("ended")) trained.ended = root.value("ended", false);
  }
  return trained;
}

void WriteTrained(const RunFolder& folder, const TrainedSoFar& trained) {
  WriteFileAtomically(folder.trained(),
                      nlohmann::json{{"milliseconds", trained.time.count()},
                                     {"decisions", trained.work.decisions},
                                     {"episodes", trained.work.episodes},
                                     {"updates", trained.work.updates},
                                     {"ended", trained.ended.value_or(false)}}
                          .dump());
}

std::vector<std::string> ReachedLimits(const configs::RunConfig& config,
                                       const TrainedSoFar& trained) {
  std::vector<std::string> limits;
  if (trained.time >= config.run.duration) {
    limits.push_back(fmt::format("run.duration ({})", configs::DurationText(config.run.duration)));
  }
  const auto count = [&](const char* key, std::int64_t limit, std::int64_t now) {
    if (limit > 0 && now >= limit) limits.push_back(fmt::format("{} ({})", key, limit));
  };
  count("run.max_decisions", config.run.max_decisions, trained.work.decisions);
  count("learner.max_updates", config.learner.max_updates, trained.work.updates);
  return limits;
}

std::chrono::milliseconds TimeToRepeat(const configs::RunConfig& config,
                                       const TrainedSoFar& trained) {
  using std::chrono::milliseconds;
  if (trained.ended.value_or(ReachedLimits(config, trained).empty())) return milliseconds(0);
  return std::min<milliseconds>(config.learner.checkpoint_every,
                                std::min<milliseconds>(trained.time, config.run.duration));
}

bool IsOver(const RunFolder& folder,
            const configs::RunConfig& config,
            const TrainedSoFar& trained) {
  if (ReachedLimits(config, trained).empty()) return false;
  if (trained.ended.value_or(false)) return true;
  const auto checkpoints = learner::InspectCheckpoints(folder.checkpoints());
  const auto newest =
      std::ranges::find_if(checkpoints, [](const auto& each) { return each.problem.empty(); });
  if (newest == checkpoints.end()) return false;
  if (config.learner.max_updates > 0 && newest->updates >= config.learner.max_updates) return true;
  // What an older londi left: its end was in order if nothing that it counted is missing.
  return !trained.ended && newest->updates >= trained.work.updates;
}

TrainEnd Train(Job& job, const TrainParts& parts) {
  TrainedSoFar trained = ReadTrained(parts.folder);
  const std::chrono::milliseconds repeated = TimeToRepeat(parts.config, trained);
  const auto before =
      std::min<std::chrono::milliseconds>(trained.time, parts.config.run.duration) - repeated;
  trained.ended = false;
  const core::TimePoint started = parts.clock.Now();
  core::TimePoint repeats_since = started;
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
    if (!job.Works()) repeats_since = now;
    const bool is_repeated = now - repeats_since >= repeated;
    if (is_repeated && !ReachedLimits(parts.config, trained).empty()) break;
    parts.signals.WaitUntil(now + kRefresh);
  }
  WriteTrained(parts.folder, trained);  // Also if Stop throws.
  const bool interrupted = parts.signals.num_stop_requests() > 0;
  parts.terminal.Say(
      fmt::format("{} {}the learner writes a checkpoint{}",
                  interrupted ? "stopping:" : "training is over;",
                  parts.config.run.rows_from.empty() ? "actors hand over their rows, " : "",
                  interrupted ? " (once more Ctrl-C: at once)" : ""));
  const auto hurry = [&] { return parts.signals.num_stop_requests() > 1; };
  job.Stop(hurry);
  trained.work = job.Progress();
  const bool hurried = hurry();
  trained.ended = !hurried;
  WriteTrained(parts.folder, trained);
  return interrupted || hurried ? TrainEnd::kInterrupted : TrainEnd::kFinished;
}

}  // namespace londi::launch
