#include "learner/replay/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

using testing::MakeTransition;
using testing::RowValues;
using testing::TempFolder;

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() : log_(folder_.path(), {}) {}

  // Appends a row with the next sequence of its stream.
  void Add(RowValues values) {
    values.sequence = ++sequences_[{values.actor, values.incarnation}];
    const core::Transition row = MakeTransition(values);
    log_.Append({&row, 1});
    log_.Commit();
  }
  void AddEpisode(std::int64_t episode, int steps) {
    for (int i = 0; i < steps; ++i) {
      Add({.episode = episode, .step = i, .steps_left = 20 - i, .terminated = i + 1 == steps});
    }
  }
  Replay MakeReplay(int n_step = 3, ReplayOptions options = {.capacity = 1000}) {
    Replay replay(log_, options, n_step);
    replay.CatchUp(log_.end());
    return replay;
  }
  static std::set<std::int64_t> Sampleable(const Replay& replay) {
    Random random(1);
    Replay::Samples samples;
    replay.Sample(20'000, 1, random, samples);
    return {samples.rows.begin(), samples.rows.end()};
  }
  static std::vector<std::int64_t> WindowOf(const Replay& replay, std::int64_t row) {
    std::array<std::int64_t, kMaxSteps + 1> rows;
    const int count =
        replay.Window(row, std::span(rows).first(static_cast<std::size_t>(replay.n_step() + 1)));
    return {rows.begin(), rows.begin() + count};
  }
  using Set = std::set<std::int64_t>;
  using Rows = std::vector<std::int64_t>;

  TempFolder folder_;
  SegmentLog log_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> sequences_;
};

TEST_F(ReplayTest, LinksTheRowsOfEpisodesThatArriveInterleaved) {
  for (int i = 0; i < 4; ++i) {
    Add({.episode = 1, .step = i, .terminated = i == 3});  // Rows 0, 2, 4, 6
    Add({.episode = 2, .step = i, .terminated = i == 3});  // Rows 1, 3, 5, 7
  }
  const Replay replay = MakeReplay();

  EXPECT_EQ(WindowOf(replay, 0), (Rows{0, 2, 4, 6}));
  EXPECT_EQ(WindowOf(replay, 3), (Rows{3, 5, 7}));
  EXPECT_EQ(replay.num_sampleable(), 8);
}

TEST_F(ReplayTest, DoesNotSampleARowBeforeItsWindowIsKnown) {
  for (int i = 0; i < 5; ++i) Add({.episode = 1, .step = i});
  Replay replay = MakeReplay(3);
  EXPECT_EQ(Sampleable(replay), (Set{0, 1}));

  Add({.episode = 1, .step = 5, .terminated = true});
  replay.CatchUp(log_.end());

  EXPECT_EQ(Sampleable(replay), (Set{0, 1, 2, 3, 4, 5}));
}

TEST_F(ReplayTest, TreatsTheStepLimitAsAnEndAndAnInterruptionAsAnUnknownSuccessor) {
  Add({.episode = 1, .step = 0, .steps_left = 2});
  Add({.episode = 1, .step = 1, .steps_left = 1, .truncated = true});  // The limit.
  Add({.episode = 2, .step = 0, .steps_left = 9});
  Add({.episode = 2, .step = 1, .steps_left = 8, .truncated = true});  // The actor drained.
  const Replay replay = MakeReplay();

  EXPECT_EQ(Sampleable(replay), (Set{0, 1, 2}));
}

TEST_F(ReplayTest, ClosesTheEpisodesOfAnActorThatCameBack) {
  for (int i = 0; i < 3; ++i) Add({.actor = 7, .incarnation = 1, .episode = 1, .step = i});
  Replay replay = MakeReplay();
  ASSERT_EQ(replay.num_sampleable(), 0);

  Add({.actor = 7, .incarnation = 2, .episode = 1, .step = 0});
  replay.CatchUp(log_.end());

  EXPECT_EQ(Sampleable(replay), (Set{0, 1}));  // Row 2 has no successor.
  EXPECT_EQ(WindowOf(replay, 1), (Rows{1, 2}));
}

TEST_F(ReplayTest, BreaksAnEpisodeWhereARowIsMissing) {
  Add({.episode = 1, .step = 0});
  Add({.episode = 1, .step = 1});
  Add({.episode = 1, .step = 3, .terminated = true});
  const Replay replay = MakeReplay();

  EXPECT_EQ(Sampleable(replay), (Set{0, 2}));
  EXPECT_EQ(WindowOf(replay, 0), (Rows{0, 1}));
}

TEST_F(ReplayTest, ForgetsTheOldestRowsBeyondItsCapacity) {
  for (int episode = 0; episode < 150; ++episode) AddEpisode(episode, 10);
  const Replay replay = MakeReplay(3, {.capacity = 1000});

  EXPECT_EQ(replay.begin(), 500);
  EXPECT_EQ(replay.num_sampleable(), 1000);
  const Set rows = Sampleable(replay);
  EXPECT_GE(*rows.begin(), 500);
  EXPECT_LT(*rows.rbegin(), 1500);
}

TEST_F(ReplayTest, KnowsThePastThatAMemoryReads) {
  for (int i = 0; i < 7; ++i) {
    Add({.episode = 1, .step = i, .terminated = i == 6});  // Rows 0, 2, ...
    Add({.episode = 2, .step = i, .terminated = i == 6});  // Rows 1, 3, ...
  }
  Add({.episode = 3, .step = 0});
  Add({.episode = 3, .step = 2});  // A row is missing.
  Add({.episode = 3, .step = 3});
  Replay replay(log_, {.capacity = 1000}, 3, /*memory_window=*/2);
  replay.CatchUp(log_.end());
  const auto past = [](const Replay& of, std::int64_t row) {
    Rows rows{-5};
    of.Past(row, rows);
    return rows;
  };

  EXPECT_EQ(past(replay, 0), (Rows{0}));
  EXPECT_EQ(past(replay, 6), (Rows{0, 2, 4, 6}));  // Step 3.
  EXPECT_EQ(past(replay, 8), (Rows{4, 6, 8}));     // Step 4 begins at step 2.
  EXPECT_EQ(past(replay, 11), (Rows{5, 7, 9, 11}));
  EXPECT_EQ(past(replay, 13), (Rows{9, 11, 13}));
  EXPECT_EQ(past(replay, 16), (Rows{15, 16}));

  Replay restored(log_, {.capacity = 1000}, 3, /*memory_window=*/2);
  restored.Restore(replay.Save(), log_.end(), [] {});
  EXPECT_EQ(past(restored, 6), (Rows{0, 2, 4, 6}));
}

TEST_F(ReplayTest, ThePastBeginsBehindWhatTheCapacityNoLongerHolds) {
  for (int episode = 0; episode < 101; ++episode) AddEpisode(episode, 10);
  Replay replay(log_, {.capacity = 1000}, 3, /*memory_window=*/32);
  replay.CatchUp(log_.end());
  for (int i = 0; i < 5; ++i) Add({.episode = 900, .step = i});  // Where rows 10 .. 14 were.
  replay.CatchUp(log_.end());
  Rows past;

  replay.Past(19, past);

  EXPECT_EQ(replay.begin(), 15);
  EXPECT_EQ(past, (Rows{15, 16, 17, 18, 19}));
}

TEST_F(ReplayTest, SamplesInProportionToPrioritiesAndCorrectsByWeights) {
  AddEpisode(1, 4);
  Replay replay = MakeReplay(3, {.capacity = 1000, .alpha = 0.5});
  const Rows rows{0, 1, 2, 3};
  // (error + 0.001)^0.5 = 1, 2, 3, 4
  replay.UpdatePriorities(rows, std::vector<float>{0.999f, 3.999f, 8.999f, 15.999f});
  Random random(5);
  Replay::Samples samples;
  constexpr int kDraws = 100'000;

  replay.Sample(kDraws, 0.5, random, samples);

  std::map<std::int64_t, int> counts;
  for (const std::int64_t row : samples.rows) ++counts[row];
  for (std::int64_t row = 0; row < 4; ++row) {
    EXPECT_NEAR(counts[row], kDraws * static_cast<double>(row + 1) / 10, kDraws * 0.005) << row;
  }
  for (std::size_t i = 0; i < samples.rows.size(); ++i) {
    // (N P)^-beta relative to that of the least likely row.
    ASSERT_NEAR(samples.weights[i], std::pow(static_cast<double>(samples.rows[i] + 1), -0.5), 1e-3);
  }
}

TEST_F(ReplayTest, NewRowsComeWithTheHighestPrioritySeenAndANaNCountsAsIt) {
  AddEpisode(1, 2);
  Replay replay = MakeReplay(3, {.capacity = 1000, .alpha = 1});
  replay.UpdatePriorities(Rows{0, 1},
                          std::vector<float>{7.999f, std::numeric_limits<float>::quiet_NaN()});
  AddEpisode(2, 1);
  replay.CatchUp(log_.end());
  Random random(5);
  Replay::Samples samples;

  replay.Sample(30'000, 1, random, samples);

  std::map<std::int64_t, int> counts;
  for (const std::int64_t row : samples.rows) ++counts[row];
  for (std::int64_t row = 0; row < 3; ++row) EXPECT_NEAR(counts[row], 10'000, 300) << row;
}

TEST_F(ReplayTest, DrawsAlikeAfterARestore) {
  for (int episode = 0; episode < 30; ++episode) AddEpisode(episode, 7);
  Replay replay = MakeReplay();
  Random random(9);
  Replay::Samples samples;
  replay.Sample(100, 1, random, samples);
  std::vector<float> errors;
  for (std::size_t i = 0; i < samples.rows.size(); ++i) errors.push_back(static_cast<float>(i));
  replay.UpdatePriorities(samples.rows, errors);
  Replay restored(log_, {.capacity = 1000}, 3);
  restored.Restore(replay.Save(), log_.end(), [] {});
  Random same = random;

  Replay::Samples expected, drawn;
  replay.Sample(200, 0.7, random, expected);
  restored.Sample(200, 0.7, same, drawn);

  EXPECT_EQ(drawn.rows, expected.rows);
  EXPECT_EQ(drawn.weights, expected.weights);
  EXPECT_EQ(restored.num_sampleable(), replay.num_sampleable());
  EXPECT_EQ(restored.watermarks(), replay.watermarks());
}

TEST_F(ReplayTest, RestoresOntoALogThatLostItsTail) {
  AddEpisode(1, 5);
  const Replay::State state{.end = 9, .max_leaf = 2, .leaves = std::vector<float>(9, 1.5f)};

  Replay replay(log_, {.capacity = 1000}, 3);
  replay.Restore(state, log_.end(), [] {});

  EXPECT_EQ(replay.end(), 5);
  EXPECT_EQ(replay.num_sampleable(), 5);
}

TEST_F(ReplayTest, ARestoreLeavesRowsThatCameSinceTheLogWasOpenedToCatchUp) {
  AddEpisode(1, 5);
  const std::int64_t found = log_.end();
  AddEpisode(2, 4);
  const Replay::State state{.end = 9, .max_leaf = 2, .leaves = std::vector<float>(9, 1.5f)};
  int times = 0;

  Replay replay(log_, {.capacity = 1000}, 3);
  replay.Restore(state, found, [&] { ++times; });

  EXPECT_EQ(replay.end(), 5);
  EXPECT_EQ(times, 1);
  EXPECT_EQ(replay.CatchUp(log_.end()), 4);
}

TEST_F(ReplayTest, BranchedRowsAreDrawnEvenlyAndOnlyWhileTheyAreThere) {
  AddEpisode(0, 5);
  Replay replay = MakeReplay();
  Random random(3);
  Replay::Samples samples;
  replay.Sample(4, 1, random, samples);
  replay.AddBranched(10, random, samples);
  EXPECT_EQ(samples.rows.size(), 4u);  // There is none.

  for (int i = 0; i < 2; ++i)
    Add({.episode = 1, .step = i, .terminated = i == 1, .gain = {{1, 1}}});
  AddEpisode(2, 5);
  Add({.episode = 3, .gain = {{1, 1}}});  // Without a successor: it cannot be sampled yet.
  replay.CatchUp(log_.end());
  replay.Sample(4, 1, random, samples);
  replay.AddBranched(1000, random, samples);

  ASSERT_EQ(samples.rows.size(), 1004u);
  const auto of_first = std::count(samples.rows.begin() + 4, samples.rows.end(), 5);
  const auto of_second = std::count(samples.rows.begin() + 4, samples.rows.end(), 6);
  EXPECT_EQ(of_first + of_second, 1000);
  EXPECT_NEAR(static_cast<double>(of_first), 500, 80);
  EXPECT_EQ(samples.weights.back(), 1);

  AddEpisode(4, 1000);  // Row 5 and 6 are no longer held.
  replay.CatchUp(log_.end());
  samples = {};
  replay.AddBranched(50, random, samples);
  EXPECT_TRUE(samples.rows.empty()) << "as long as no other is there";
  Add({.episode = 5, .terminated = true, .gain = {{1, 1}}});
  replay.CatchUp(log_.end());
  replay.AddBranched(50, random, samples);
  EXPECT_EQ(std::set(samples.rows.begin(), samples.rows.end()), (Set{log_.end() - 1}));
}

}  // namespace
}  // namespace londi::learner
