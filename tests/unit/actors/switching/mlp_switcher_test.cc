#include "actors/switching/mlp_switcher.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using testing::FindArray;

// A network whose advantage is `gain` - c * `bill`, whatever it sees.
std::shared_ptr<core::WeightsSnapshot> MakeConstant(float gain, float bill, std::int64_t version) {
  auto weights = testing::MakeSwitcherWeights(
      {.disagreement_width = 0}, [] { return 0.0f; }, version);
  FindArray(*weights, "return.gain.bias").values = {gain};
  FindArray(*weights, "calls.gain.bias").values = {bill - 1};
  return weights;
}

const std::vector<float> kFeatures = {1, 2, 3, 4};

TEST(MlpSwitcher, DoesNotActivateBeforeItHasWeights) {
  MlpSwitcher switcher;

  const core::SwitchChoice choice = switcher.Choose({.features = kFeatures});

  EXPECT_FALSE(choice.activate);
  EXPECT_FLOAT_EQ(choice.behaviour_prob, 1);
}

TEST(MlpSwitcher, ActivatesWhereTheGainExceedsTheBill) {
  MlpSwitcher switcher;
  switcher.Load(MakeConstant(0.1f, 2, 7));
  const auto choose = [&](float cost) {
    return switcher.Choose({.features = kFeatures, .cost = cost, .steps_left = 5});
  };

  EXPECT_TRUE(choose(0.04f).activate);
  EXPECT_FALSE(choose(0.06f).activate);
  EXPECT_FLOAT_EQ(choose(0.04f).advantage, 0.02f);
  EXPECT_FLOAT_EQ(choose(0.04f).behaviour_prob, 1);
  EXPECT_EQ(choose(0.04f).version, core::WeightsVersion(7));
}

TEST(MlpSwitcher, ATieStaysWithQuick) {
  MlpSwitcher switcher;
  switcher.Load(MakeConstant(0, 0, 1));

  EXPECT_FALSE(switcher.Choose({.features = kFeatures}).activate);
}

TEST(MlpSwitcher, RefusesFeaturesOfAnotherWidth) {
  MlpSwitcher switcher;
  switcher.Load(MakeConstant(1, 0, 1));
  const std::vector<float> wider(5);

  EXPECT_THROW(switcher.Choose({.features = wider}), core::ProtocolError);
}

TEST(MlpSwitcher, KeepsItsWeightsWhenNewOnesAreRefused) {
  MlpSwitcher switcher;
  switcher.Load(MakeConstant(1, 0, 3));
  auto damaged = MakeConstant(-1, 0, 4);
  FindArray(*damaged, "calls.value.bias").values.clear();

  EXPECT_THROW(switcher.Load(damaged), core::ProtocolError);

  EXPECT_TRUE(switcher.Choose({.features = kFeatures}).activate);
  EXPECT_EQ(switcher.Choose({.features = kFeatures}).version, core::WeightsVersion(3));
}

}  // namespace
}  // namespace londi::actors
