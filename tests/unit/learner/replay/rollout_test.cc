#include "learner/replay/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

using core::WeightsVersion;
using testing::MakeTransition;

class RolloutTest : public ::testing::Test {
 protected:
  // An episode of `rows` rows, acted with weights of version 5.
  void AddEpisode(int rows, bool ends = true) {
    for (int step = 0; step < rows; ++step) {
      const core::Transition row = MakeTransition({.sequence = ++sequence_,
                                                   .episode = episode_,
                                                   .step = step,
                                                   .steps_left = 20 - step,
                                                   .terminated = ends && step + 1 == rows});
      log_.Append({&row, 1});
    }
    ++episode_;
    log_.Commit();
    replay_.CatchUp(log_.end());
  }
  // How often each row is drawn until the rollout ends, `n` at a time.
  std::map<std::int64_t, int> DrawAll(Rollout& rollout, int n) {
    std::map<std::int64_t, int> times;
    while (rollout.is_under_way()) {
      rollout.Draw(n, random_, samples_);
      EXPECT_EQ(samples_.weights, std::vector<float>(samples_.rows.size(), 1));
      for (const std::int64_t row : samples_.rows) ++times[row];
    }
    return times;
  }

  testing::TempFolder folder_;
  SegmentLog log_{folder_.path(), {}};
  Replay replay_{log_, {.capacity = 10'000}, 2};
  Random random_{1};
  Replay::Samples samples_;
  std::int64_t sequence_ = 0;
  std::int64_t episode_ = 0;
};

TEST_F(RolloutTest, EachNewRowIsDrawnOncePerEpochAndNeverAgain) {
  Rollout rollout({.rows = 8, .epochs = 3}, replay_);
  AddEpisode(5);
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 0);
  EXPECT_FALSE(rollout.is_under_way());
  AddEpisode(5);
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 10);

  const auto times = DrawAll(rollout, 4);

  EXPECT_EQ(times.size(), 10u);
  for (const auto& [row, count] : times) EXPECT_EQ(count, 3) << row;
  AddEpisode(9);
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 9);
  EXPECT_EQ(DrawAll(rollout, 100).begin()->first, 10);
}

TEST_F(RolloutTest, AnEpochIsDrawnEvenlyAndShuffled) {
  Rollout rollout({.rows = 10, .epochs = 2}, replay_);
  AddEpisode(10);
  rollout.BeginIfThereAreRows(WeightsVersion(5), random_);
  std::vector<std::vector<std::int64_t>> batches;
  while (rollout.is_under_way()) {
    rollout.Draw(8, random_, samples_);
    batches.push_back(samples_.rows);
  }

  ASSERT_EQ(batches.size(), 4u);
  for (const auto& batch : batches) EXPECT_EQ(batch.size(), 5u);
  EXPECT_NE(batches[0], batches[2]);
  EXPECT_FALSE(std::ranges::is_sorted(batches[0]));
}

// Rollouts have a few rows more than a multiple of the batch: an update on those alone would learn
// as much from each of them as from five others.
TEST_F(RolloutTest, NoUpdateRestsOnTheFewRowsThatAreLeftOfAnEpoch) {
  Rollout rollout({.rows = 2048, .epochs = 2}, replay_);
  for (int i = 0; i < 123; ++i) AddEpisode(17);
  ASSERT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 2091);
  std::map<std::int64_t, int> times;
  int num_batches = 0;
  while (rollout.is_under_way()) {
    rollout.Draw(256, random_, samples_);
    ++num_batches;
    EXPECT_LE(samples_.rows.size(), 256u);
    EXPECT_GE(samples_.rows.size(), 128u);
    for (const std::int64_t row : samples_.rows) EXPECT_LE(++times[row], num_batches > 9 ? 2 : 1);
  }

  EXPECT_EQ(num_batches, 18);
  EXPECT_EQ(times.size(), 2091u);
}

TEST_F(RolloutTest, RowsOfOldWeightsAreLeftOut) {
  Rollout rollout({.rows = 3, .max_staleness = 2}, replay_);
  AddEpisode(5);
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(8), random_), 5);  // All of them.
  EXPECT_FALSE(rollout.is_under_way());

  AddEpisode(5);
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(7), random_), 5);
  EXPECT_TRUE(rollout.is_under_way());
}

TEST_F(RolloutTest, RowsWhoseWindowsAreOpenWaitForTheNextOne) {
  Rollout rollout({.rows = 3, .epochs = 1}, replay_);
  AddEpisode(5, /*ends=*/false);

  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 3);

  EXPECT_THAT(DrawAll(rollout, 10), ::testing::SizeIs(3));
  --episode_;
  const core::Transition last = MakeTransition({.sequence = ++sequence_,
                                                .episode = episode_,
                                                .step = 5,
                                                .steps_left = 15,
                                                .terminated = true});
  log_.Append({&last, 1});
  log_.Commit();
  replay_.CatchUp(log_.end());
  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 3);
  EXPECT_THAT(DrawAll(rollout, 10), ::testing::SizeIs(3));
}

TEST_F(RolloutTest, WhatWasThereBeforeItIsNotItsOwn) {
  AddEpisode(5);
  Rollout rollout({.rows = 3}, replay_);

  EXPECT_EQ(rollout.BeginIfThereAreRows(WeightsVersion(5), random_), 0);
  EXPECT_FALSE(rollout.is_under_way());
}

TEST(RolloutOptions, RefuseWhatMakesNoRollout) {
  EXPECT_THROW(RolloutOptions{.rows = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(RolloutOptions{.epochs = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(RolloutOptions{.max_staleness = -1}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
