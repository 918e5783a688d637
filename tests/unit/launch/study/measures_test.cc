#include "launch/study/measures.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "actors/evaluation_report.h"
#include "core/error.h"
#include "tests/support/study_data.h"
#include "tests/support/temp_folder.h"

namespace londi::launch::study {
namespace {

using testing::MakeStudyEpisodes;

class ReadEvaluationTest : public ::testing::Test {
 protected:
  std::filesystem::path Write(const std::string& text) {
    const auto file = temp_ / "evaluation.json";
    std::ofstream(file) << text;
    return file;
  }
  testing::TempFolder temp_;
};

actors::EpisodeRow MakeRow(std::uint64_t seed, bool success, std::vector<std::int32_t> calls) {
  actors::EpisodeResult result{.finished = true,
                               .success = success,
                               .kind = "goto",
                               .total_reward = success ? 0.75 : 0,
                               .steps = 8,
                               .calls = static_cast<std::int32_t>(calls.size()),
                               .call_steps = calls,
                               .changed_steps = calls,
                               .call_disagreements = std::vector<float>(calls.size(), 0.5f)};
  result.quick = {.tokens = 30, .gflops = 0.5, .compute_ms = 2};
  result.deepthink = {.tokens = 12, .gflops = 1, .compute_ms = 4};
  return {.seed = seed, .result = result};
}

TEST_F(ReadEvaluationTest, TakesWhatAnEvaluationWrote) {
  const std::vector<actors::CellResult> written = {
      {actors::AlwaysQuickCell(), {MakeRow(4, false, {}), MakeRow(5, false, {})}},
      {actors::SwitcherCell(0.01, 3), {MakeRow(4, true, {2, 7}), MakeRow(5, false, {1})}},
      {actors::RuleCell({.kind = "entropy"}, 2), {MakeRow(4, true, {}), MakeRow(5, true, {})}}};

  const Evaluation read = ReadEvaluation(Write(actors::ToJson(written, 0, true)));

  ASSERT_EQ(read.size(), 3u);
  EXPECT_TRUE(read.contains({.name = "always-quick"}));
  EXPECT_TRUE(read.contains({.name = "entropy", .budget = 2}));
  const auto& episodes = read.at({.name = "switcher", .cost = 0.01, .budget = 3});
  ASSERT_EQ(episodes.size(), 2u);
  EXPECT_EQ(episodes[0].seed, 4u);
  EXPECT_TRUE(episodes[0].success);
  EXPECT_NEAR(episodes[0].value, 0.75 - 0.02, 1e-9);
  EXPECT_EQ(episodes[0].tokens, 42);
  EXPECT_EQ(episodes[0].gflops, 1.5);
  EXPECT_EQ(episodes[0].lm_ms, 6);
  EXPECT_EQ(episodes[0].call_steps, (std::vector<std::int32_t>{2, 7}));
  EXPECT_EQ(episodes[0].changed_steps, (std::vector<std::int32_t>{2, 7}));
  EXPECT_EQ(episodes[0].call_disagreements, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(Text(read.rbegin()->first), "switcher c=0.01 B=3");
}

// Each run finds a cost of its own, and yet they are one policy.
TEST_F(ReadEvaluationTest, AnAverageBudgetIsOnePolicyWhateverItsCost) {
  actors::EvaluationCell cell = actors::SwitcherCell(0.0123);
  cell.name = "switcher-average";
  cell.average = actors::AverageBudget{.wanted = 2.5};

  const Evaluation read =
      ReadEvaluation(Write(actors::ToJson({{cell, {MakeRow(4, true, {2, 7})}}}, 0, true)));

  ASSERT_TRUE(read.contains({.name = "switcher-average 2.5"}));
  EXPECT_EQ(read.begin()->second[0].value, 0.75);  // No cost is taken off.
}

TEST_F(ReadEvaluationTest, SaysWhichFileIsDamaged) {
  const auto complains = [](const std::filesystem::path& file) {
    try {
      ReadEvaluation(file);
    } catch (const core::Error& error) {
      return std::string(error.what()).find(file.string()) != std::string::npos;
    }
    return false;
  };
  EXPECT_TRUE(complains(temp_ / "none.json"));
  EXPECT_TRUE(complains(Write("{\"cells\": [{\"na")));
  EXPECT_TRUE(complains(Write("{\"cells\": [{\"name\": \"switcher\"}]}")));
  const std::vector<actors::CellResult> unpaired = {
      {actors::AlwaysQuickCell(), {MakeRow(4, false, {})}},
      {actors::AlwaysDeepthinkCell(), {MakeRow(5, false, {})}}};
  EXPECT_TRUE(complains(Write(actors::ToJson(unpaired, 0, true))));
}

TEST(Measure, IsTheMeanOverRunsAndEpisodes) {
  const auto a = MakeStudyEpisodes(20, 1, 0.1), b = MakeStudyEpisodes(40, 3, 0.1);

  const Measures both = Measure({&a, &b}, EqualWeights(2, 40));

  EXPECT_DOUBLE_EQ(both.success, 0.75);
  EXPECT_DOUBLE_EQ(both.success_iqm, 0.75);  // Scores .5, .5, 1, 1.
  EXPECT_DOUBLE_EQ(both.call_share, 0.2);
  EXPECT_DOUBLE_EQ(both.calls, 2);
  EXPECT_DOUBLE_EQ(both.tokens, 102);
  EXPECT_DOUBLE_EQ(both.gflops, 0.5);
  EXPECT_DOUBLE_EQ(both.lm_ms, 2);
  EXPECT_NEAR(both.value, 0.75 - 0.2, 1e-12);
}

TEST(Measure, CountsRunsAndEpisodesAsOftenAsTheyWereDrawn) {
  const auto a = MakeStudyEpisodes(20, 1), b = MakeStudyEpisodes(40, 3);
  Weights weights = EqualWeights(2, 40);
  weights.runs = {3, 1};

  EXPECT_DOUBLE_EQ(Measure({&a, &b}, weights).calls, 1.5);
  EXPECT_DOUBLE_EQ(Measure({&a, &b}, weights).success, 0.625);
  EXPECT_DOUBLE_EQ(Measure({&a, &b}, weights).success_iqm, 0.5);  // Six of eight scores are .5.

  weights.runs = {1, 0};
  for (std::size_t i = 20; i < 40; ++i) weights.episodes[i] = 0;  // Those that it lost.
  EXPECT_DOUBLE_EQ(Measure({&a, &b}, weights).success, 1);
}

TEST(Resample, DrawsAsManyRunsAndAsManyEpisodesOfEachKind) {
  auto episodes = MakeStudyEpisodes(20, 1);
  episodes.resize(31);
  actors::Random random(7);
  bool varies = false;
  for (int i = 0; i < 50; ++i) {
    const Weights weights = Resample(4, episodes, random);
    int runs = 0;
    std::map<std::string, int> kinds;
    for (const int weight : weights.runs) runs += weight;
    for (std::size_t e = 0; e < episodes.size(); ++e) {
      kinds[episodes[e].kind] += weights.episodes[e];
      varies = varies || weights.episodes[e] > 1;
    }
    EXPECT_EQ(runs, 4);
    EXPECT_EQ(kinds["goto"], 16);
    EXPECT_EQ(kinds["open"], 15);
  }
  EXPECT_TRUE(varies);
}

TEST(SuccessByKind, HasAScoreOfEachRun) {
  auto a = MakeStudyEpisodes(1, 0), b = MakeStudyEpisodes(40, 0);  // One "goto" of 20; all.

  const auto scores = SuccessByKind({&a, &b});

  EXPECT_EQ(scores.at("goto"), (std::vector<double>{0.05, 1}));
  EXPECT_EQ(scores.at("open"), (std::vector<double>{0, 1}));
}

TEST(Calibration, ComparesWhatWasPredictedOfCallsWithWhatTheyChanged) {
  const std::vector<Episode> first = {{.steps = 9,
                                       .call_steps = {1, 2, 3},
                                       .changed_steps = {2},
                                       .call_disagreements = {.25, .75, .25}}};
  const std::vector<Episode> second = {
      {.steps = 9, .call_steps = {4}, .changed_steps = {4}, .call_disagreements = {1}},
      {.steps = 9}};

  const std::vector<CalibrationBin> bins = Calibration({&first, &second});

  ASSERT_EQ(bins.size(), 3u);
  EXPECT_DOUBLE_EQ(bins[0].share, 0.5);
  EXPECT_DOUBLE_EQ(bins[0].predicted, 0.25);
  EXPECT_DOUBLE_EQ(bins[0].found, 0);
  EXPECT_DOUBLE_EQ(bins[1].predicted, 0.75);
  EXPECT_DOUBLE_EQ(bins[1].found, 1);
  EXPECT_DOUBLE_EQ(bins[2].share, 0.25);
  EXPECT_DOUBLE_EQ(bins[2].found, 1);
  EXPECT_DOUBLE_EQ(CalibrationError(bins), 0.5 * 0.25 + 0.25 * 0.25);
}

TEST(Calibration, SaysNothingWhereNothingWasPredicted) {
  const std::vector<Episode> calls = {{.steps = 9, .call_steps = {1}, .call_disagreements = {1}},
                                      {.steps = 9}};

  EXPECT_TRUE(Calibration({&calls}).empty());
}

TEST(CallPositions, AreSharesByTenthOfTheEpisode) {
  const auto calls = MakeStudyEpisodes(20, 2), none = MakeStudyEpisodes(20, 0);

  const std::vector<double> shares = CallPositions({&calls, &none});

  ASSERT_EQ(shares.size(), 10u);
  EXPECT_DOUBLE_EQ(shares[0], 0.5);
  EXPECT_DOUBLE_EQ(shares[1], 0.5);
  EXPECT_DOUBLE_EQ(shares[2], 0);
  EXPECT_TRUE(CallPositions({&none}).empty());
}

}  // namespace
}  // namespace londi::launch::study
