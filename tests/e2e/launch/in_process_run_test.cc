// A whole run in one process, all at once or in turns: actors, channels, log, learner, weights,
// checkpoint, evaluation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "core/error.h"
#include "launch/evaluate_run.h"
#include "launch/in_process_job.h"
#include "launch/lock_step_job.h"
#include "launch/progress_totals.h"
#include "launch/train_run.h"
#include "launch/wiring.h"
#include "learner/replay/segment_log.h"
#include "tests/support/counting_world.h"
#include "tests/support/temp_folder.h"

namespace londi::launch {
namespace {

configs::RunConfig TestConfig(const std::filesystem::path& folder) {
  configs::RunConfig config;
  config.run.folder = folder;
  config.run.name = "counting";
  config.run.duration = std::chrono::seconds(90);
  config.run.num_actors = 2;
  config.actor.episodes = 4;
  config.learner.max_updates = 6000;
  config.learner.batch.batch_size = 128;
  config.learner.algorithm.dqn.network.width = 64;
  config.learner.algorithm.dqn.network.layers = 2;
  config.learner.algorithm.dqn.network.adam.learning_rate = 1e-3;
  config.learner.rate.min_rows = 500;
  config.learner.rate.samples_per_row = 16;
  config.learner.rate.slack = 4000;
  config.learner.checkpoint_every = std::chrono::seconds(1);
  config.evaluation.costs = {0.05};
  config.evaluation.budgets = {1};
  config.evaluation.options.episodes = config.evaluation.options.min_episodes = 300;
  config.evaluation.options.threads = 4;
  config.evaluation.calibration.episodes = 50;
  return config;
}

// Fails in its first step, if it is the first of all.
class FailingEnvironment final : public core::Environment {
 public:
  explicit FailingEnvironment(std::atomic<bool>& poisoned) : fails_(poisoned.exchange(false)) {}

  core::Observation Reset(std::uint64_t seed) override { return world_.Reset(seed); }
  core::StepResult Step(std::string_view action) override {
    if (fails_) throw core::ModelError({.what = "poisoned", .why = "a test", .fix = "none"});
    return world_.Step(action);
  }
  std::vector<std::string> AdmissibleActions() const override { return world_.AdmissibleActions(); }
  int MaxSteps() const override { return world_.MaxSteps(); }
  std::string Kind() const override { return world_.Kind(); }
  std::unique_ptr<core::Environment> Clone() const override {
    return std::make_unique<FailingEnvironment>(*this);
  }

 private:
  const bool fails_;
  testing::CountingEnvironment world_;
};

class InProcessRun : public ::testing::Test {
 protected:
  InProcessRun() { WriteFileAtomically(folder_.config(), configs::ToYaml(config_)); }

  ProcessJobParts Parts() {
    return {.folder = folder_,
            .config = config_,
            .signals = signals_,
            .clock = clock_,
            .logger = monitor::MakeNullLogger(),
            .events = events_};
  }

  TrainEnd TrainOnce(const actors::EnvironmentFactory& make_environment = [] {
    return std::make_unique<testing::CountingEnvironment>();
  }) {
    const auto start = config_.run.lock_step > 0 ? StartLockStepJob : StartInProcessJob;
    const auto job = start(Parts(),
                           {.quick = quick_,
                            .deepthink = deepthink_,
                            .metrics = metrics_,
                            .make_environment = make_environment});
    return Train(*job,
                 {.folder = folder_,
                  .config = config_,
                  .signals = signals_,
                  .clock = clock_,
                  .terminal = terminal_});
  }

  std::vector<actors::CellResult> Evaluate() {
    return EvaluatePlan(
        config_.evaluation,
        {.config = config_,
         .quick = quick_,
         .deepthink = deepthink_,
         .weights = LoadTrainedSwitcher(folder_, config_, monitor::MakeNullLogger()),
         .make_environment = [] { return std::make_unique<testing::CountingEnvironment>(); },
         .signals = signals_,
         .clock = clock_,
         .terminal = terminal_});
  }

  testing::TempFolder temp_;
  configs::RunConfig config_ = TestConfig(temp_.path());
  RunFolder folder_ = CreateRunFolder(config_.run.folder, config_.run.name);
  Signals signals_;
  Terminal terminal_;
  core::SystemClock clock_;
  monitor::Metrics metrics_;
  monitor::EventLog events_{folder_.events(), "test"};
  testing::CountingLm quick_{core::Tier::kQuick};
  testing::CountingLm deepthink_{core::Tier::kDeepthink};
};

TEST_F(InProcessRun, LearnsToCallWhereQuickIsWrongAndNowhereElse) {
  ASSERT_EQ(TrainOnce(), TrainEnd::kFinished);

  std::map<std::string, actors::CellSummary> cells;
  for (const actors::CellResult& result : Evaluate()) {
    const auto& terms = result.cell.terms;
    const std::string budget = terms.budget >= 0 ? " B=" + std::to_string(terms.budget) : "";
    cells[result.cell.name + budget] = actors::Summarize(result);
  }

  const actors::CellSummary& learned = cells.at("switcher");
  EXPECT_GE(learned.success, 0.97);
  EXPECT_LE(learned.call_share, 0.35);  // A quarter of the steps are riddles.
  EXPECT_GE(learned.success, cells.at("always-quick").success + 0.3);
  EXPECT_GE(learned.success, cells.at("random").success + 0.2);
  EXPECT_EQ(cells.at("always-deepthink").success, 1.0);
  EXPECT_LE(cells.at("switcher B=1").calls, 1.0);
  for (const auto& [name, summary] : cells) EXPECT_EQ(summary.budget_violations, 0) << name;
}

TEST_F(InProcessRun, AResumedRunGoesOnAndLosesAndDoublesNothing) {
  config_.learner.max_updates = 100;
  ASSERT_EQ(TrainOnce(), TrainEnd::kFinished);
  const auto first = LoadTrainedSwitcher(folder_, config_, monitor::MakeNullLogger());
  config_.learner.max_updates = 200;
  ASSERT_EQ(TrainOnce(), TrainEnd::kFinished);
  const auto second = LoadTrainedSwitcher(folder_, config_, monitor::MakeNullLogger());

  EXPECT_GT(second->version, first->version);
  const learner::SegmentLog log(folder_.transitions(), config_.transition_log);
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> last;  // By (actor, incarnation).
  for (std::int64_t row = log.begin(); row < log.end(); ++row) {
    const learner::StoredRow& stored = log.row(row);
    std::int64_t& sequence = last[{stored.actor, stored.incarnation}];
    ASSERT_EQ(stored.sequence, sequence + 1);
    sequence = stored.sequence;
  }
  EXPECT_EQ(last.size(), 4u);  // Two actors, two lives.
}

// Return minus the calls' cost of one episode, for each episode of a cell.
std::vector<double> ValuesOf(const actors::CellResult& result) {
  std::vector<double> values;
  for (const actors::EpisodeRow& row : result.rows)
    values.push_back(row.result.total_reward - result.cell.terms.cost * row.result.calls);
  return values;
}

TEST_F(InProcessRun, InTurnsTheSameSeedGivesTheSameNumbers) {
  config_.run.lock_step = 40;
  config_.learner.max_updates = 200;
  config_.evaluation.options.episodes = config_.evaluation.options.min_episodes = 50;
  config_.evaluation.options.threads = 1;
  struct Numbers {
    std::vector<core::NamedArray> weights;
    std::vector<std::vector<double>> values;
  };
  const auto train = [&](std::uint64_t seed) {
    config_.run.seed = seed;
    folder_ = CreateRunFolder(config_.run.folder, config_.run.name);
    EXPECT_EQ(TrainOnce(), TrainEnd::kFinished);
    Numbers numbers{LoadTrainedSwitcher(folder_, config_, monitor::MakeNullLogger())->arrays, {}};
    for (const actors::CellResult& result : Evaluate()) numbers.values.push_back(ValuesOf(result));
    return numbers;
  };

  const Numbers one = train(1), same = train(1), other = train(2);

  ASSERT_EQ(one.weights.size(), same.weights.size());
  bool differs = false;
  for (std::size_t i = 0; i < one.weights.size(); ++i) {
    EXPECT_EQ(one.weights[i].values, same.weights[i].values) << one.weights[i].name;
    differs = differs || one.weights[i].values != other.weights[i].values;
  }
  EXPECT_EQ(one.values, same.values);
  EXPECT_TRUE(differs);
}

TEST_F(InProcessRun, InTurnsItLearnsWhatItLearnsAllAtOnce) {
  const auto learned = [&] {
    EXPECT_EQ(TrainOnce(), TrainEnd::kFinished);
    for (const actors::CellResult& result : Evaluate()) {
      if (result.cell.name == "switcher" && result.cell.terms.budget < 0) return ValuesOf(result);
    }
    return std::vector<double>();
  };
  const std::vector<double> at_once = learned();
  config_.run.lock_step = 100;
  folder_ = CreateRunFolder(config_.run.folder, config_.run.name);

  const std::vector<double> in_turns = learned();

  ASSERT_EQ(at_once.size(), 300u);
  ASSERT_EQ(in_turns.size(), 300u);
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < in_turns.size(); ++i) {
    const double difference = in_turns[i] - at_once[i];  // The same episode.
    mean += difference / 300;
    squares += difference * difference / 300;
  }
  const double half_interval = 1.96 * std::sqrt((squares - mean * mean) / 300);
  EXPECT_NEAR(mean, 0, std::max(half_interval, 0.005));
  EXPECT_LT(half_interval, 0.03);  // Else everything would agree.
}

TEST_F(InProcessRun, ARunInTurnsGoesOnAndLosesAndDoublesNothing) {
  config_.run.lock_step = 50;
  for (const std::int64_t updates : {100, 200}) {
    config_.learner.max_updates = updates;
    ASSERT_EQ(TrainOnce(), TrainEnd::kFinished);
  }

  const learner::SegmentLog log(folder_.transitions(), config_.transition_log);
  const ProgressTotals totals = ReadTotals(folder_);
  EXPECT_EQ(totals.Range("learner", counter::kUpdates).second, 200);
  // Eight actors: 500 rows before the first update, then 50 * 128 / 16 for each of four turns.
  EXPECT_EQ(log.end(), 8 * (63 + 4 * 50));
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> last;  // By (actor, incarnation).
  for (std::int64_t row = log.begin(); row < log.end(); ++row) {
    const learner::StoredRow& stored = log.row(row);
    std::int64_t& sequence = last[{stored.actor, stored.incarnation}];
    ASSERT_EQ(stored.sequence, ++sequence);
  }
  EXPECT_EQ(last.size(), 8u * 4);
}

// All at once, and in turns.
class EndOfARun : public InProcessRun, public ::testing::WithParamInterface<int> {
 protected:
  EndOfARun() { config_.run.lock_step = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Turns, EndOfARun, ::testing::Values(0, 50));

TEST_P(EndOfARun, ADeadActorEndsItThoughTheOthersAreAlive) {
  config_.learner.max_updates = 1'000'000;
  const core::TimePoint started = clock_.Now();
  const auto poisoned = std::make_shared<std::atomic<bool>>(true);  // The first environment.

  EXPECT_THROW(TrainOnce([poisoned] { return std::make_unique<FailingEnvironment>(*poisoned); }),
               core::ModelError);
  EXPECT_LT(clock_.Now() - started, std::chrono::seconds(45));  // Not only when the time is over.
}

TEST_P(EndOfARun, ADeadLearnerEndsItThoughUpdatesAreLimited) {
  config_.learner.max_updates = 1'000'000;
  const core::TimePoint started = clock_.Now();
  std::thread enemy([&] {
    while (std::filesystem::is_empty(folder_.checkpoints())) std::this_thread::yield();
    const auto away = folder_.path / "away";
    std::filesystem::rename(folder_.checkpoints(), away);
    std::ofstream(folder_.checkpoints()) << "in the way";
  });

  EXPECT_THROW(TrainOnce(), core::IoError);
  EXPECT_LT(clock_.Now() - started, std::chrono::seconds(45));
  enemy.join();
}

TEST_F(InProcessRun, AStopWhileTheLearnerThrottlesGivesUpNoRow) {
  config_.learner.max_updates = 0;
  config_.learner.rate = {.samples_per_row = 20'000, .min_rows = 100, .slack = 20'000};
  std::thread enemy([&] {  // By then the actors are far ahead.
    while (metrics_.Sum("londi_actor_decisions_total") < 2000) std::this_thread::yield();
    signals_.RequestStop();
  });

  EXPECT_EQ(TrainOnce(), TrainEnd::kInterrupted);
  enemy.join();

  const learner::SegmentLog log(folder_.transitions(), config_.transition_log);
  EXPECT_GE(log.end(), 2000);
  EXPECT_EQ(log.end(), ReadTotals(folder_).Sum("actor", counter::kDecisions));
}

TEST_P(EndOfARun, AStopRequestEndsItCleanly) {
  signals_.RequestStop();

  EXPECT_EQ(TrainOnce(), TrainEnd::kInterrupted);
  EXPECT_TRUE(std::filesystem::exists(folder_.trained()));
}

}  // namespace
}  // namespace londi::launch
