#include "actors/switcher_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "core/half.h"

namespace londi::actors {
namespace {

const std::vector<std::string> kActions = {"left", "right", "forward"};

core::Proposal MakeQuick(std::vector<float> log_probs = {-0.1f, -3.0f, -4.0f}) {
  core::Proposal quick{.log_probs = std::move(log_probs), .features = {0.5f, -1.0f}};
  core::SummarizeLogProbs(quick);
  return quick;
}

core::Observation Seeing(const std::string& sentence) {
  return {.mission = "go", .sentences = {sentence}};
}

core::Decision Deciding(std::int32_t quick, std::optional<std::int32_t> deepthink = {}) {
  core::Decision decision;
  decision.quick.action = quick;
  decision.choice.activate = deepthink.has_value();
  if (deepthink) decision.deepthink.emplace().action = *deepthink;
  return decision;
}

float AsHalf(double value) {
  return core::HalfToFloat(core::FloatToHalf(static_cast<float>(value)));
}

Scalar History(int index) {
  return static_cast<Scalar>(static_cast<int>(Scalar::kFirstHistory) + index);
}

TEST(SwitcherFeatures, BeginWithQuicksHiddenStateAndDescribeItsAnswer) {
  SwitcherFeatures maker;
  maker.StartEpisode(20);
  maker.Observe(Seeing("a"), 0);
  const core::Proposal quick = MakeQuick({-0.25f, -3.0f, -4.0f});

  const std::vector<float> features = maker.Make(quick, kActions);

  ASSERT_EQ(features.size(), static_cast<std::size_t>(NumFeatures(2)));
  EXPECT_EQ(features[0], 0.5f);
  EXPECT_EQ(features[1], -1.0f);
  EXPECT_EQ(GetScalar(features, Scalar::kEntropy), AsHalf(quick.entropy));
  EXPECT_EQ(GetScalar(features, Scalar::kEntropyShare), AsHalf(quick.entropy / std::log(3.0)));
  EXPECT_EQ(GetScalar(features, Scalar::kMargin), AsHalf(quick.margin));
  EXPECT_EQ(GetScalar(features, Scalar::kSequenceProb), AsHalf(std::exp(-0.25)));
  EXPECT_EQ(GetScalar(features, Scalar::kBestLogProb), -0.25f);
  EXPECT_EQ(GetScalar(features, Scalar::kLogProbGap), 2.75f);
  EXPECT_NEAR(GetScalar(features, Scalar::kMeanLogProb), -7.25 / 3, 2e-3);
  EXPECT_NEAR(GetScalar(features, Scalar::kLogProbSpread), 1.5855, 2e-3);
  EXPECT_EQ(GetScalar(features, Scalar::kNumActions), AsHalf(std::log(3.0) / 4));
}

TEST(SwitcherFeatures, CountStepsReturnVisitsAndAttempts) {
  SwitcherFeatures maker;
  maker.StartEpisode(16);
  const auto live = [&](const std::string& seen, double reward) {
    maker.Observe(Seeing(seen), reward);
    const std::vector<float> features = maker.Make(MakeQuick(), kActions);
    maker.Record(Deciding(0), kActions[0]);
    return features;
  };

  const std::vector<float> first = live("a", 0);
  live("b", 0.25);
  const std::vector<float> third = live("a", 0);
  const std::vector<float> fourth = live("a", 0);

  EXPECT_EQ(GetScalar(first, Scalar::kStep), 0);
  EXPECT_EQ(GetScalar(first, Scalar::kSeenBefore), 0);
  EXPECT_EQ(GetScalar(first, Scalar::kTriedBefore), 0);
  EXPECT_EQ(GetScalar(first, Scalar::kSameAsLast), 0);
  EXPECT_EQ(GetScalar(third, Scalar::kStepShare), 0.125f);
  EXPECT_EQ(GetScalar(third, Scalar::kStep), 2 / 32.0f);
  EXPECT_EQ(GetScalar(third, Scalar::kReturn), 0.25f);
  EXPECT_EQ(GetScalar(third, Scalar::kSeenBefore), 0.125f);
  EXPECT_EQ(GetScalar(third, Scalar::kTriedBefore), 0.125f);
  EXPECT_EQ(GetScalar(third, Scalar::kSameAsLast), 1);
  EXPECT_EQ(GetScalar(third, Scalar::kNoProgress), 0.125f);
  EXPECT_EQ(GetScalar(fourth, Scalar::kNoProgress), 0.25f);
  EXPECT_EQ(GetScalar(fourth, Scalar::kSeenBefore), 0.25f);
}

TEST(SwitcherFeatures, RememberTheLastEightDecisionsNewestFirst) {
  SwitcherFeatures maker;
  maker.StartEpisode(64);
  maker.Observe(Seeing("a"), 0);
  for (int i = 0; i < 6; ++i) maker.Record(Deciding(0), "left");  // Will fall out at the end.
  maker.Record(Deciding(0, 0), "left");                           // Activated, agreed.
  maker.Record(Deciding(0, 2), "forward");                        // Activated, changed.
  maker.Record(Deciding(1), "right");

  const std::vector<float> features = maker.Make(MakeQuick(), kActions);

  const float expected[] = {0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 16; ++i) EXPECT_EQ(GetScalar(features, History(i)), expected[i]) << i;
}

TEST(SwitcherFeatures, MarkTheProposedActionWithOneBitThatStays) {
  SwitcherFeatures maker;
  maker.StartEpisode(64);
  maker.Observe(Seeing("a"), 0);
  const auto bits = [&](std::int32_t action) {
    core::Proposal quick = MakeQuick();
    quick.action = action;
    const std::vector<float> features = maker.Make(quick, kActions);
    return std::vector<float>(features.end() - 16, features.end());
  };

  for (std::int32_t action = 0; action < 3; ++action) {
    float sum = 0;
    for (const float bit : bits(action)) sum += bit;
    EXPECT_EQ(sum, 1);
  }
  EXPECT_EQ(bits(1), bits(1));
  EXPECT_NE(bits(0), bits(1));
}

TEST(SwitcherFeatures, ANewEpisodeRemembersNothing) {
  SwitcherFeatures used, fresh;
  used.StartEpisode(20);
  used.Observe(Seeing("a"), 1);
  used.Record(Deciding(0, 2), "forward");
  used.StartEpisode(30);
  fresh.StartEpisode(30);
  used.Observe(Seeing("a"), 0);
  fresh.Observe(Seeing("a"), 0);

  EXPECT_EQ(used.Make(MakeQuick(), kActions), fresh.Make(MakeQuick(), kActions));
}

TEST(SwitcherFeatures, AreFiniteBoundedAndExactInFp16WhateverTheLmSays) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  SwitcherFeatures maker;
  maker.StartEpisode(0);
  maker.Observe(Seeing("a"), 1e30);
  core::Proposal quick;
  quick.log_probs = {kNaN, -kInfinity, kInfinity};
  quick.features = {kNaN, kInfinity, -kInfinity, 1e9f, 0.1f};
  quick.entropy = kNaN;
  quick.margin = -kInfinity;
  quick.sequence_prob = 1e38f;

  const std::vector<float> features = maker.Make(quick, kActions);

  for (std::size_t i = 0; i < features.size(); ++i) {
    EXPECT_TRUE(std::isfinite(features[i])) << i;
    EXPECT_LE(std::abs(features[i]), i < 5 ? 1000 : 16) << i;
    EXPECT_EQ(features[i], AsHalf(features[i])) << i;
  }
  EXPECT_EQ(features[0], 0);
  EXPECT_EQ(features[1], 1000);
}

// The bag of hashed texts; the scalars and one hidden value beside it are left out.
std::vector<float> TextOf(SwitcherFeatures& maker,
                          const core::Observation& observation,
                          std::int32_t action = 0) {
  maker.Observe(observation, 0);
  core::Proposal quick = MakeQuick();
  quick.action = action;
  const std::vector<float> features = maker.Make(quick, kActions);
  const auto end = features.end() - kNumScalars;
  return {end - kNumTextBuckets, end};
}

double Sum(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(SwitcherFeatures, CountTheTextsThatTheSwitcherReads) {
  SwitcherFeatures maker;
  maker.StartEpisode(20);

  // Three words, two pairs of words, two sentences, the proposed action.
  EXPECT_EQ(Sum(TextOf(maker, {.mission = "find  the key", .sentences = {"a b", "c"}})), 8);
  maker.Record(Deciding(0), "forward");
  EXPECT_EQ(Sum(TextOf(maker, {.mission = "find the key", .sentences = {"a b", "c"}})), 9);
}

TEST(SwitcherFeatures, TextsOfAnotherMeaningFallIntoOtherBuckets) {
  const auto text = [](const core::Observation& observation, std::int32_t action = 0) {
    SwitcherFeatures maker;
    maker.StartEpisode(20);
    return TextOf(maker, observation, action);
  };
  const core::Observation seen{.mission = "find the key", .sentences = {"a red ball", "a wall"}};

  EXPECT_EQ(text(seen), text({.mission = "find the key", .sentences = {"a wall", "a red ball"}}));
  EXPECT_NE(text(seen), text(seen, 1));
  EXPECT_NE(text(seen), text({.mission = "find the box", .sentences = seen.sentences}));
  EXPECT_NE(text(seen), text({.mission = "key the find", .sentences = seen.sentences}));
  EXPECT_NE(text(seen), text({.mission = "find the key", .sentences = {"a red wall", "a ball"}}));
}

TEST(SwitcherFeatures, SeeTheSameSentenceWhereverItNamesWhatTheMissionLooksFor) {
  const auto text = [](const char* mission, const char* sentence) {
    SwitcherFeatures maker;
    maker.StartEpisode(20);
    return TextOf(maker, {.mission = mission, .sentences = {sentence}});
  };
  // What the sentence adds in the one mission and in the other: itself in both, and what only the
  // mission sees in it.
  const auto added = [&](const char* mission, const char* sentence) {
    std::vector<float> with = text(mission, sentence);
    const std::vector<float> without = text(mission, "nothing");
    std::ranges::transform(with, without, with.begin(), std::minus());
    return with;
  };
  EXPECT_EQ(Sum(added("find the key", "a key ahead")), 1);
  EXPECT_EQ(Sum(added("find the box", "a key ahead")), 0);
  const std::vector<float> key = text("find the key", "a key ahead");
  const std::vector<float> box = text("find the box", "a box ahead");
  const std::vector<float> other = text("find the box", "a key ahead");
  const auto num_common = [](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::min(a[i], b[i]);
    return sum;
  };
  // "find", "the", "find the" and the action; and "a #2 ahead" where both name what is looked for.
  EXPECT_EQ(num_common(key, box), 5);
  EXPECT_EQ(num_common(key, other), 5);  // ... or the sentence itself.
  // The same words, pairs and action, but another thing of the mission: first or last.
  const char* const both = "see the key and the box";
  EXPECT_EQ(num_common(text(both, "a key"), text(both, "a box")), 6 + 5 + 1);
}

TEST(SwitcherFeatures, TellsListsOfSentencesApart) {
  SwitcherFeatures maker;
  maker.StartEpisode(20);
  maker.Observe({.mission = "go", .sentences = {"ab", "c"}}, 0);
  maker.Observe({.mission = "go", .sentences = {"a", "bc"}}, 0);

  EXPECT_EQ(GetScalar(maker.Make(MakeQuick(), kActions), Scalar::kSeenBefore), 0);
}

TEST(SwitcherFeatures, HaveOneDistinctNameEach) {
  const std::vector<std::string> names = FeatureNames(3);

  EXPECT_EQ(names.size(), static_cast<std::size_t>(NumFeatures(3)));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  EXPECT_EQ(names[2], "hidden.2");
  EXPECT_EQ(names[3], "text.0");
  EXPECT_EQ(names[3 + kNumTextBuckets], "entropy");
}

}  // namespace
}  // namespace londi::actors
