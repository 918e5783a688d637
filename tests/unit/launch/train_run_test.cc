#include "launch/train_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <optional>

#include "learner/checkpoint.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

namespace londi::launch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReachedLimits, NamesThoseThatARunHasReached) {
  configs::RunConfig config;
  config.run.duration = seconds(600);
  EXPECT_THAT(ReachedLimits(config, {.time = seconds(599), .work = {.updates = 9}}), IsEmpty());
  EXPECT_THAT(ReachedLimits(config, {.time = seconds(600)}), ElementsAre("run.duration (10min)"));

  config.run.max_decisions = 70;
  config.learner.max_updates = 9;
  EXPECT_THAT(ReachedLimits(config, {.work = {.decisions = 69, .updates = 9}}),
              ElementsAre("learner.max_updates (9)"));
  EXPECT_THAT(ReachedLimits(config, {.work = {.decisions = 70, .updates = 9}}),
              ElementsAre("run.max_decisions (70)", "learner.max_updates (9)"));
}

TEST(TimeToRepeat, IsAsLongAsTheNewestCheckpointMayBeOld) {
  configs::RunConfig config;
  config.run.duration = seconds(600);
  config.learner.checkpoint_every = seconds(60);
  const auto time = [&](seconds trained, std::optional<bool> ended) {
    return TimeToRepeat(config, {.time = trained, .ended = ended});
  };
  EXPECT_EQ(time(seconds(600), false), seconds(60));
  EXPECT_EQ(time(seconds(7), false), seconds(7));
  config.learner.checkpoint_every = seconds(3600);
  EXPECT_EQ(time(seconds(601), false), seconds(600));
  EXPECT_EQ(time(seconds(599), true), seconds(0));
  EXPECT_EQ(time(seconds(599), std::nullopt), seconds(0)) << "of an older londi, or new";
  EXPECT_EQ(time(seconds(600), std::nullopt), seconds(600));
}

class IsOverTest : public ::testing::Test {
 protected:
  void WriteCheckpoint(std::int64_t updates) {
    learner::Checkpoint checkpoint{.updates = updates, .num_features = 3};
    checkpoint.algorithm = {.architecture = "mlp", .arrays = {{"a", {1}, {1}}}};
    learner::CheckpointStore(folder_.checkpoints(), 3, monitor::MakeNullLogger()).Write(checkpoint);
  }
  bool IsOverAfter(std::int64_t updates, bool ended) {
    WriteTrained(folder_, {.time = seconds(600), .work = {.updates = updates}, .ended = ended});
    return IsOver(folder_, config_, ReadTrained(folder_));
  }

  testing::TempFolder temp_;
  const RunFolder folder_ = CreateRunFolder(temp_.path(), "run");
  configs::RunConfig config_;
};

TEST_F(IsOverTest, AnEndThatWasNotInOrderLeavesSomethingToTrain) {
  EXPECT_FALSE(IsOverAfter(50, false)) << "there is no checkpoint";
  WriteCheckpoint(50);
  EXPECT_FALSE(IsOverAfter(50, false));
  EXPECT_TRUE(IsOverAfter(50, true));
  config_.run.duration = seconds(601);
  EXPECT_FALSE(IsOverAfter(50, true)) << "it was raised";
}

TEST_F(IsOverTest, ACheckpointWithTheLastUpdateLeavesNothing) {
  config_.learner.max_updates = 50;
  WriteCheckpoint(49);
  EXPECT_FALSE(IsOverAfter(50, false));
  WriteCheckpoint(50);
  EXPECT_TRUE(IsOverAfter(50, false));
}

TEST_F(IsOverTest, TheCheckpointTellsHowARunOfAnOlderLondiEnded) {
  const auto is_over = [&] {
    std::ofstream(folder_.trained()) << R"({"milliseconds": 600000, "updates": 50})";
    return IsOver(folder_, config_, ReadTrained(folder_));
  };
  EXPECT_FALSE(is_over());
  WriteCheckpoint(49);
  EXPECT_FALSE(is_over());
  WriteCheckpoint(50);
  EXPECT_TRUE(is_over());
}

// A job without roles: a second passes at each look, and a decision is made.
class FakeJob final : public Job {
 public:
  explicit FakeJob(testing::FakeClock& clock) : clock_(clock) {}

  void Poll() override {
    clock_.Advance(seconds(1));
    ++progress_.decisions;
  }
  ProgressSample Progress() override { return progress_; }
  bool Works() const override { return progress_.decisions > works_after; }
  void Stop(const Hurry&) override { on_stop(); }

  std::int64_t works_after = 0;
  std::function<void()> on_stop = [] {};

 private:
  testing::FakeClock& clock_;
  ProgressSample progress_;
};

class TrainTest : public ::testing::Test {
 protected:
  TrainTest() { config_.run.max_decisions = 7; }

  TrainEnd TrainOnce() {
    return Train(job_,
                 {.folder = folder_,
                  .config = config_,
                  .signals = signals_,
                  .clock = clock_,
                  .terminal = terminal_});
  }
  TrainedSoFar Trained() const { return ReadTrained(folder_); }

  testing::TempFolder temp_;
  const RunFolder folder_ = CreateRunFolder(temp_.path(), "run");
  configs::RunConfig config_;
  Signals signals_;
  testing::FakeClock clock_;
  Terminal terminal_;
  FakeJob job_{clock_};
};

TEST_F(TrainTest, ARunHasEndedWhenItsRolesHave) {
  job_.on_stop = [&] { EXPECT_EQ(Trained().ended, false); };
  EXPECT_EQ(TrainOnce(), TrainEnd::kFinished);
  EXPECT_EQ(Trained().ended, true);
  EXPECT_EQ(Trained().work.decisions, 7);
}

TEST_F(TrainTest, ARunWhoseRolesWereHurriedHasNotEnded) {
  job_.on_stop = [&] {
    signals_.RequestStop();
    signals_.RequestStop();
  };
  EXPECT_EQ(TrainOnce(), TrainEnd::kInterrupted);
  EXPECT_EQ(Trained().ended, false);
}

TEST_F(TrainTest, ARunThatDidNotEndIsTrainedAgainOnceAllRolesWork) {
  config_.learner.checkpoint_every = seconds(20);
  WriteTrained(folder_, {.time = seconds(100), .work = {.decisions = 6}, .ended = false});
  job_.works_after = 30;

  EXPECT_EQ(TrainOnce(), TrainEnd::kFinished);

  EXPECT_EQ(Trained().work.decisions, 50);
  EXPECT_EQ(Trained().time, seconds(100 - 20 + 50));
}

}  // namespace
}  // namespace londi::launch
