#include "actors/switching/disagreement_switcher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

// Weights whose d is `disagreement`, whatever they see, and which see no use in calling.
std::shared_ptr<core::WeightsSnapshot> MakeConstant(double disagreement) {
  auto weights = testing::MakeSwitcherWeights(
      {}, [] { return 0.0f; }, 7);
  testing::FindArray(*weights, "return.gain.bias").values = {-1};
  testing::FindArray(*weights, "disagreement.logit.bias").values = {
      static_cast<float>(std::log(disagreement / (1 - disagreement)))};
  return weights;
}

const std::vector<float> kFeatures = {1, 2, 3, 4};

TEST(DisagreementSwitcher, ActivatesAboveItsThresholdWhateverTheCost) {
  DisagreementSwitcher switcher(0.3);
  const core::SwitcherInput input{.features = kFeatures, .cost = 5, .steps_left = 9};
  EXPECT_FALSE(switcher.Choose(input).activate);  // No weights yet.

  switcher.Load(MakeConstant(0.31));
  EXPECT_TRUE(switcher.Choose(input).activate);
  EXPECT_EQ(switcher.Choose(input).version, core::WeightsVersion(7));

  switcher.Load(MakeConstant(0.29));
  EXPECT_FALSE(switcher.Choose(input).activate);
}

TEST(DisagreementSwitcher, RefusesWeightsWithoutDisagreementAndKeepsTheOldOnes) {
  DisagreementSwitcher switcher(0.3);
  switcher.Load(MakeConstant(0.9));

  EXPECT_THROW(switcher.Load(testing::MakeRandomSwitcherWeights({.disagreement_width = 0}, 1)),
               core::ConfigError);

  EXPECT_TRUE(switcher.Choose({.features = kFeatures}).activate);
}

TEST(DisagreementSwitcher, RefusesFeaturesOfAnotherWidth) {
  DisagreementSwitcher switcher(0.3);
  switcher.Load(MakeConstant(0.9));
  const std::vector<float> wider(5);

  EXPECT_THROW(switcher.Choose({.features = wider}), core::ProtocolError);
}

}  // namespace
}  // namespace londi::actors
