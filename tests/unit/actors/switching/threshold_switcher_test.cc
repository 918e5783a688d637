#include "actors/switching/threshold_switcher.h"

#include <gtest/gtest.h>

#include <cmath>

#include "actors/switcher_features.h"
#include "tests/support/features.h"

namespace londi::actors {
namespace {

using testing::FeaturesWith;

TEST(ThresholdSwitcher, ActivatesStrictlyAboveItsThreshold) {
  ThresholdSwitcher switcher(Entropy, 0.5);
  const auto sure = FeaturesWith({{Scalar::kEntropy, 0.5f}});
  const auto unsure = FeaturesWith({{Scalar::kEntropy, 0.75f}});

  EXPECT_FALSE(switcher.Choose({.features = sure}).activate);
  EXPECT_TRUE(switcher.Choose({.features = unsure}).activate);
  EXPECT_FLOAT_EQ(switcher.Choose({.features = unsure}).behaviour_prob, 1);
}

TEST(Measures, ReadWhatTheyAreNamedAfter) {
  const auto features = FeaturesWith(
      {{Scalar::kEntropy, 0.5f}, {Scalar::kMargin, 0.25f}, {Scalar::kBestLogProb, -2.0f}});

  EXPECT_DOUBLE_EQ(Entropy(features), 0.5);
  EXPECT_DOUBLE_EQ(LackOfMargin(features), 0.75);
  EXPECT_DOUBLE_EQ(Surprisal(features), 2);
}

// Through the features' making, with rounding to fp16.
TEST(Measures, GrowAsQuickGetsLessSure) {
  SwitcherFeatures features;
  features.StartEpisode(10);
  const auto made = [&](std::vector<float> log_probs) {
    core::Proposal quick{.log_probs = std::move(log_probs), .features = {0}};
    core::SummarizeLogProbs(quick);
    return features.Make(quick, {"a", "b"});
  };
  const auto certain = made({-0.0001f, -12}), sure = made({-0.0004f, -9}), torn = made({-1, -1.1f});

  for (const auto measure : {Entropy, LackOfMargin, Surprisal}) {
    EXPECT_LT(measure(sure), measure(torn));
    EXPECT_GE(measure(certain), 0);
  }
  EXPECT_LT(Surprisal(certain), Surprisal(sure));  // Both have the probability 1 in fp16.
  EXPECT_NEAR(Surprisal(torn), 1, 1e-3);
}

}  // namespace
}  // namespace londi::actors
