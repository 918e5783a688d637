#include "actors/switching/learned_switcher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/policy_network.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using testing::FindArray;
using testing::MakePolicyWeights;

const std::vector<float> kFeatures = {1, 2, 3, 4};

// A policy with that logit, whatever it sees.
std::shared_ptr<core::WeightsSnapshot> MakeConstant(float logit, std::int64_t version = 1) {
  auto weights = MakePolicyWeights(
      {}, [] { return 0.0f; }, version);
  FindArray(*weights, "logit.bias").values = {logit};
  return weights;
}

TEST(PolicySwitcher, DoesTheLikelierAndSaysHowLikelyACallIs) {
  PolicySwitcher switcher;
  EXPECT_FALSE(switcher.Choose({.features = kFeatures}).activate);
  const auto choose = [&](float logit) {
    switcher.Load(MakeConstant(logit, 7));
    return switcher.Choose({.features = kFeatures});
  };

  EXPECT_TRUE(choose(2).activate);
  EXPECT_FLOAT_EQ(*choose(2).activation_prob, 1 / (1 + std::exp(-2.0f)));
  EXPECT_FALSE(choose(-2).activate);
  EXPECT_FLOAT_EQ(*choose(-2).activation_prob, 1 / (1 + std::exp(2.0f)));
  EXPECT_FALSE(choose(0).activate);  // A tie.
  EXPECT_FLOAT_EQ(choose(2).behaviour_prob, 1);
  EXPECT_EQ(choose(2).version, core::WeightsVersion(7));
}

TEST(PolicySwitcher, NeverActivatesWithWeightsThatAreNotNumbers) {
  PolicySwitcher switcher;
  switcher.Load(MakeConstant(std::numeric_limits<float>::quiet_NaN()));

  const core::SwitchChoice choice = switcher.Choose({.features = kFeatures});

  EXPECT_FALSE(choice.activate);
  EXPECT_EQ(choice.activation_prob, 0.0f);
}

TEST(PolicySwitcher, RefusesFeaturesOfAnotherWidthAndOtherWeights) {
  PolicySwitcher switcher;
  switcher.Load(MakeConstant(1, 3));
  const std::vector<float> wider(5);
  auto damaged = MakeConstant(-1, 4);
  FindArray(*damaged, "logit.bias").values.clear();

  EXPECT_THROW(switcher.Choose({.features = wider}), core::ProtocolError);
  EXPECT_THROW(switcher.Load(damaged), core::ProtocolError);
  EXPECT_THROW(switcher.Load(testing::MakeRandomSwitcherWeights({}, 1)), core::ProtocolError);

  EXPECT_EQ(switcher.Choose({.features = kFeatures}).version, core::WeightsVersion(3));
}

TEST(LearnedSwitcher, ReadsWhicheverNetworkWasLearned) {
  LearnedSwitcher switcher;
  EXPECT_FALSE(switcher.Choose({.features = kFeatures}).activate);

  switcher.Load(MakeConstant(1, 2));
  EXPECT_TRUE(switcher.Choose({.features = kFeatures}).activation_prob.has_value());
  EXPECT_EQ(switcher.Choose({.features = kFeatures}).version, core::WeightsVersion(2));

  switcher.Load(testing::MakeRandomSwitcherWeights({}, 1, 3));
  EXPECT_FALSE(switcher.Choose({.features = kFeatures}).activation_prob.has_value());
  EXPECT_EQ(switcher.Choose({.features = kFeatures}).version, core::WeightsVersion(3));
}

TEST(LearnedSwitcher, KeepsItsWeightsWhenNewOnesAreRefused) {
  LearnedSwitcher switcher;
  switcher.Load(MakeConstant(1, 2));
  auto damaged = testing::MakeRandomSwitcherWeights({}, 1, 3);
  FindArray(*damaged, "calls.value.bias").values.clear();

  EXPECT_THROW(switcher.Load(damaged), core::ProtocolError);

  EXPECT_EQ(switcher.Choose({.features = kFeatures}).version, core::WeightsVersion(2));
}

}  // namespace
}  // namespace londi::actors
