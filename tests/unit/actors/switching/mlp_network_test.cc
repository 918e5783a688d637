#include "actors/switching/mlp_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/error.h"
#include "tests/support/switcher_reference.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using testing::MakeRandomSwitcherWeights;
using testing::SwitcherReference;
using testing::SwitcherShape;

TEST(MlpNetwork, AgreesWithTheTableInEveryContextAndShape) {
  // Widths around the lanes of the vectorized loops, and below them.
  const SwitcherShape shapes[] = {
      {1, 1, 1, 1}, {3, 8, 2, 0}, {17, 31, 1, 33}, {17, 32, 3, 8}, {49, 65, 2, 31}};
  std::mt19937_64 random(4);
  std::normal_distribution<float> normal;
  MlpNetwork::Scratch scratch;
  for (const SwitcherShape& shape : shapes) {
    const auto weights = MakeRandomSwitcherWeights(shape, random());
    const MlpNetwork network(weights);
    const SwitcherReference reference(*weights);
    for (const std::int32_t remaining : {-1, 0, 1, 7, 8, 9, 40}) {
      for (const float cost : {0.0f, 0.01f, 0.3f}) {
        std::vector<float> inputs(static_cast<std::size_t>(shape.num_features));
        for (float& value : inputs) value = normal(random);
        const auto expected = reference.Evaluate(inputs, cost, remaining, 30);
        inputs.resize(inputs.size() + core::kNumContextInputs);
        core::EncodeContext(cost, remaining, 30, std::span(inputs).last(core::kNumContextInputs));

        const core::switcher_network::Values output = network.Evaluate(inputs, scratch);

        ASSERT_NEAR(output.return_value, expected.return_value, 1e-4);
        ASSERT_NEAR(output.return_advantage, expected.return_advantage, 1e-4);
        ASSERT_NEAR(output.calls_value, expected.calls_value, 1e-4);
        ASSERT_NEAR(output.calls_advantage, expected.calls_advantage, 1e-4);
        ASSERT_NEAR(output.Advantage(cost), expected.Advantage(cost), 1e-4);
      }
    }
  }
}

TEST(MlpNetwork, WhereTheLmsAgreeAnActivationChangesOnlyTheBudgetsRest) {
  const auto weights = testing::MakeSwitcherWeights({}, [] { return 0.0f; });
  const auto set = [&](const std::string& name, float value) {
    testing::FindArray(*weights, name).values = {value};
  };
  set("return.gain.bias", 0.5f);
  set("return.shadow.bias", -0.25f);
  set("calls.gain.bias", 2);
  set("calls.shadow.bias", -1);
  MlpNetwork::Scratch scratch;
  const auto evaluate = [&](float logit, std::int32_t remaining) {
    set("disagreement.logit.bias", logit);
    std::vector<float> inputs(4 + core::kNumContextInputs, 0.0f);
    core::EncodeContext(0.1f, remaining, 30, std::span(inputs).last(core::kNumContextInputs));
    return MlpNetwork(weights).Evaluate(inputs, scratch);
  };

  EXPECT_FLOAT_EQ(evaluate(-100, -1).disagreement, 0);  // Agreed,
  EXPECT_FLOAT_EQ(evaluate(-100, -1).return_advantage, 0);
  EXPECT_FLOAT_EQ(evaluate(-100, -1).calls_advantage, 1);
  EXPECT_FLOAT_EQ(evaluate(-100, 40).return_advantage, 0);  // more budget than steps,
  EXPECT_FLOAT_EQ(evaluate(-100, 3).return_advantage, -0.25f);
  EXPECT_FLOAT_EQ(evaluate(-100, 3).calls_advantage, 0);
  EXPECT_FLOAT_EQ(evaluate(100, 3).return_advantage, 0.5f);  // disagreed.
  EXPECT_FLOAT_EQ(evaluate(100, -1).calls_advantage, 3);
  EXPECT_FLOAT_EQ(evaluate(0, 3).return_advantage, 0.125f);
}

TEST(MlpNetwork, ANaNAmongTheInputsOrWeightsComesOut) {
  const SwitcherShape shape;
  const auto weights = MakeRandomSwitcherWeights(shape, 1);
  std::vector<float> inputs(4 + core::kNumContextInputs, 0.5f);
  MlpNetwork::Scratch scratch;
  EXPECT_TRUE(std::isfinite(MlpNetwork(weights).Evaluate(inputs, scratch).return_advantage));

  inputs[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(MlpNetwork(weights).Evaluate(inputs, scratch).return_advantage));

  inputs[2] = 0;
  for (const char* array : {"trunk.0.bias", "disagreement.1.bias", "disagreement.logit.bias"}) {
    const auto broken = MakeRandomSwitcherWeights(shape, 1);
    testing::FindArray(*broken, array).values[0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(MlpNetwork(broken).Evaluate(inputs, scratch).return_advantage)) << array;
  }
}

TEST(MlpNetwork, KnowsItsInputsAndVersion) {
  EXPECT_TRUE(MlpNetwork().is_empty());
  const MlpNetwork network(MakeRandomSwitcherWeights({.num_features = 9}, 1, 42));

  EXPECT_FALSE(network.is_empty());
  EXPECT_EQ(network.num_inputs(), 9 + core::kNumContextInputs);
  EXPECT_EQ(network.version(), core::WeightsVersion(42));
}

TEST(MlpNetwork, RefusesAMemoryThatDoesNotFit) {
  const auto refused = [](const std::string& name, std::vector<std::int64_t> shape, float value) {
    const auto weights = MakeRandomSwitcherWeights({.memory_width = 6}, 1);
    core::NamedArray& array = testing::FindArray(*weights, name);
    std::int64_t size = 1;
    for (const std::int64_t extent : shape) size *= extent;
    array.shape = std::move(shape);
    array.values.assign(static_cast<std::size_t>(size), value);
    try {
      MlpNetwork network(weights);
    } catch (const core::ProtocolError&) {
      return true;
    }
    return false;
  };

  EXPECT_FALSE(refused("memory.input.weight", {18, 4}, 0));
  EXPECT_TRUE(refused("memory.input.weight", {18, 5}, 0));
  EXPECT_TRUE(refused("memory.state.weight", {18, 5}, 0));
  EXPECT_TRUE(refused("memory.state.bias", {24}, 0));
  EXPECT_TRUE(refused("memory.state.bias", {300}, 0));  // More than there are inputs.
  EXPECT_TRUE(refused("memory.state.bias", {0}, 0));
  EXPECT_FALSE(refused("memory.window", {1}, 1));
  for (const float window : {0.0f, -1.0f, 1e9f, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_TRUE(refused("memory.window", {1}, window)) << window;
}

TEST(MlpNetwork, RefusesWeightsThatDoNotFitTogether) {
  const auto refused = [](const std::function<void(core::WeightsSnapshot&)>& damage) {
    const auto weights = MakeRandomSwitcherWeights({}, 1);
    damage(*weights);
    try {
      MlpNetwork network(weights);
    } catch (const core::ProtocolError&) {
      return true;
    }
    return false;
  };
  const auto array = [](core::WeightsSnapshot& w, const char* name) -> core::NamedArray& {
    return testing::FindArray(w, name);
  };

  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& w) { w.architecture = "transformer"; }));
  EXPECT_TRUE(refused([](auto& w) { w.arrays.clear(); }));
  EXPECT_TRUE(refused([](auto& w) {
    std::erase_if(w.arrays, [](const auto& a) { return a.name == "calls.shadow.bias"; });
  }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.1.bias").shape = {9}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.1.bias").values.pop_back(); }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.0.norm.weight").values.push_back(0); }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.0.weight").shape = {8}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.0.weight").shape = {}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.0.weight").shape = {0, 19}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.0.weight").shape = {-8, -19}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "trunk.1.weight").shape = {8, 7}; }));
  EXPECT_TRUE(refused([&](auto& w) { array(w, "return.value.weight").shape = {2, 4}; }));
}

}  // namespace
}  // namespace londi::actors
