#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "configs/run_config.h"
#include "core/clock.h"
#include "launch/process_job.h"
#include "launch/progress_totals.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "launch/terminal.h"
#include "launch/train_run.h"
#include "monitor/event_log.h"
#include "monitor/log.h"
#include "tests/support/temp_folder.h"

// What the tests of a run in several processes share.
namespace londi::launch {

inline configs::RunConfig TestConfig(const std::filesystem::path& folder) {
  configs::RunConfig config;
  config.run.folder = folder;
  config.run.name = "hurt";
  config.run.duration = std::chrono::seconds(120);
  config.run.num_actors = 2;
  config.run.heartbeat = std::chrono::milliseconds(100);
  config.run.lease = std::chrono::milliseconds(5000);
  config.run.metrics_every = std::chrono::milliseconds(500);
  config.environment.id = "babyai/GoToRedBallGrey";
  config.actor.episodes = 4;
  config.learner.batch.batch_size = 32;
  config.learner.algorithm.dqn.network.width = 16;
  config.learner.algorithm.dqn.network.layers = 1;
  config.learner.rate.min_rows = 200;
  config.learner.rate.samples_per_row = 1;
  config.learner.rate.slack = 4000;
  config.learner.checkpoint_every = std::chrono::seconds(1);
  return config;
}

// The diary as it is now.
inline std::vector<nlohmann::json> Events(const RunFolder& folder) {
  std::vector<nlohmann::json> events;
  std::ifstream in(folder.events());
  for (std::string line; std::getline(in, line);) {
    auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object()) events.push_back(std::move(event));
  }
  return events;
}

inline int CountEvents(const RunFolder& folder, const std::string& event, const std::string& role) {
  int count = 0;
  for (const auto& each : Events(folder)) {
    count += each.value("event", "") == event && each.value("role", "").starts_with(role) ? 1 : 0;
  }
  return count;
}

inline std::map<std::string, pid_t> Pids(const RunFolder& folder) {
  std::map<std::string, pid_t> pids;
  for (const auto& event : Events(folder)) {
    if (event.value("event", "") == "role_started")
      pids[event.value("role", "")] = event.value("pid", 0);
  }
  return pids;
}

// A run with all its processes. The test's binary is the roles' executable, too
// (process_run_test.cc).
class ProcessRun : public ::testing::Test {
 protected:
  ProcessRun() { WriteFileAtomically(folder_.config(), configs::ToYaml(config_)); }

  // Trains until `enemy`, who acts in a thread of its own, is done and the run has come further.
  void TrainBeside(const std::function<void()>& enemy) {
    TrainUntil([&] {
      enemy();
      const std::int64_t then = Decisions();
      WaitFor([&] { return Decisions() > then + 500; });
    });
  }

  // Trains until `enemy`, in a thread of its own, is done.
  void TrainUntil(const std::function<void()>& enemy) {
    const std::jthread thread([&] {
      enemy();
      signals_.RequestStop();
    });
    EXPECT_EQ(TrainToTheEnd(), TrainEnd::kInterrupted);
    over_ = true;
  }

  std::unique_ptr<Job> Start() {
    return StartProcessJob({.folder = folder_,
                            .config = config_,
                            .signals = signals_,
                            .clock = clock_,
                            .logger = monitor::MakeNullLogger(),
                            .events = events_});
  }

  TrainEnd TrainToTheEnd() {
    const auto job = Start();
    return Train(*job,
                 {.folder = folder_,
                  .config = config_,
                  .signals = signals_,
                  .clock = clock_,
                  .terminal = terminal_});
  }

  // Blocks until `done`, or until the run is over.
  void WaitFor(const std::function<bool()>& done) {
    while (!over_ && !done()) std::this_thread::yield(), usleep(20'000);
  }

  std::int64_t Decisions() { return ReadTotals(folder_).Sum("actor", counter::kDecisions); }
  std::int64_t Updates() { return ReadTotals(folder_).Range("learner", counter::kUpdates).second; }

  void Kill(const std::string& role) {
    const int lives = CountEvents(folder_, "role_started", role);
    kill(Pids(folder_).at(role), SIGKILL);
    WaitFor([&] { return CountEvents(folder_, "role_started", role) > lives; });
  }

  testing::TempFolder temp_;
  configs::RunConfig config_ = TestConfig(temp_.path());
  RunFolder folder_ = CreateRunFolder(config_.run.folder, config_.run.name);
  Signals signals_;
  Terminal terminal_{std::chrono::seconds(2)};
  core::SystemClock clock_;
  monitor::EventLog events_{folder_.events(), "train"};
  std::atomic<bool> over_ = false;
};

}  // namespace londi::launch
