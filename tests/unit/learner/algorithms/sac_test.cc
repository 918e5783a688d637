#include "learner/algorithms/sac.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/policy_network.h"
#include "core/switcher.h"

namespace londi::learner {
namespace {

constexpr int kFeatures = 2;
constexpr SacOptions kSmall{.width = 8, .layers = 1, .learning_rate = 1e-2, .target_rate = 0.5};

std::unique_ptr<Algorithm> MakeSmallSac(const SacOptions& options = kSmall,
                                        std::uint64_t seed = 1) {
  at::set_num_threads(1);  // More of them would wait for one another.
  return MakeSac(options, kFeatures, "cpu", seed);
}

// Two looks at one state: with a call (reward `called`), without (reward 0.5). Both end there.
Batch MakeChoice(float called, std::int32_t remaining = -1, float feature = 0.5f) {
  Batch batch;
  batch.num_states = 2;
  batch.width = kFeatures + core::kNumContextInputs;
  const std::span<float> inputs = batch.inputs.Resize(2 * static_cast<std::size_t>(batch.width));
  std::fill(inputs.begin(), inputs.end(), feature);
  batch.contexts = {{0.1f, remaining}, {0.1f, remaining}};
  batch.entries = {{.state = 0, .num_horizons = 1},
                   {.state = 1, .activate = true, .first_horizon = 1, .num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .discount = 0.9f, .terminal = true},
                    {.reward = called, .calls = 1, .discount = 0.9f, .terminal = true}};
  batch.horizon_successor = {-1, -1};
  return batch;
}

core::NamedArray& Find(AlgorithmState& state, const std::string& name) {
  return *std::ranges::find(state.arrays, name, &core::NamedArray::name);
}

TEST(Sac, BeginsAsAFairCoin) {
  const auto weights = MakeSmallSac()->Export(core::WeightsVersion(3));

  EXPECT_EQ(weights->architecture, core::policy_network::kArchitecture);
  EXPECT_EQ(weights->version, core::WeightsVersion(3));
  EXPECT_EQ(weights->Find("logit.weight").values, std::vector<float>(8, 0.0f));
  EXPECT_EQ(weights->Find("logit.bias").values, std::vector<float>{0.0f});
}

TEST(Sac, CallsWhereACallIsWorthMoreThanItCosts) {
  const auto logit_after = [](float called) {
    const auto sac = MakeSmallSac();
    for (int i = 0; i < 300; ++i) sac->Update(MakeChoice(called));
    return sac->Export(core::WeightsVersion(1))->Find("logit.bias").values[0];
  };

  EXPECT_GT(logit_after(0.7f), 0.1f);
  EXPECT_LT(logit_after(0.55f), -0.01f);
}

TEST(Sac, BothTargetCriticsAndThePolicySayWhatASuccessorIsWorth) {
  const auto sac = MakeSmallSac({.width = 8, .layers = 1, .temperature = 0.2});
  AlgorithmState state = sac->Save();
  Find(state, "critic.0.target.values.bias").values = {2, 5};
  Find(state, "critic.1.target.values.bias").values = {3, 4};
  for (const char* critic : {"critic.0.values.bias", "critic.1.values.bias"})
    Find(state, critic).values = {100, 100};  // The online ones have no say.
  Find(state, "policy.logit.bias").values = {0};
  sac->Restore(state);
  Batch batch = MakeChoice(0);
  batch.num_states = batch.num_successors = 1;
  batch.contexts[1] = {0.1f, -1};
  batch.entries.pop_back();
  batch.horizons[0].terminal = false;
  batch.horizon_successor[0] = 0;

  const UpdateResult result = sac->Update(batch);

  EXPECT_NEAR(result.mean_target_return, 0.5 + 0.9 * (0.5 * 2 + 0.5 * 4 + 0.2 * std::log(2)), 1e-5);
  EXPECT_NEAR(result.policy_entropy, std::log(2), 1e-6);
}

TEST(Sac, TheTemperatureSinksToTheEntropyThatIsAskedFor) {
  const auto temperature_after = [](double target_entropy) {
    SacOptions options = kSmall;
    options.temperature = 1;
    options.target_entropy = target_entropy;
    const auto sac = MakeSmallSac(options);
    for (int i = 0; i < 2000; ++i) sac->Update(MakeChoice(0.7f));
    return std::pair(sac->Update(MakeChoice(0.7f)).policy_entropy, [&] {
      AlgorithmState state = sac->Save();
      return Find(state, "temperature").values[0];
    }());
  };

  EXPECT_FLOAT_EQ(temperature_after(0).second, 1);
  const auto [entropy, temperature] = temperature_after(0.3);
  EXPECT_NEAR(entropy, 0.3, 0.05);
  EXPECT_LT(temperature, 0.2f);
}

TEST(Sac, ACallThatTheBudgetDeniesIsUnlearned) {
  const auto logit_after = [](std::int32_t remaining) {
    const auto sac = MakeSmallSac();
    for (int i = 0; i < 300; ++i) {
      Batch batch = MakeChoice(0.9f, remaining);
      if (remaining == 0) batch.entries[1].activate = false;  // The governor would not let it.
      sac->Update(batch);
    }
    return sac->Export(core::WeightsVersion(1))->Find("logit.bias").values[0];
  };

  EXPECT_GT(logit_after(1), 0.1f);
  EXPECT_LT(logit_after(0), -0.1f);
}

TEST(Sac, AnUpdateThatIsNotFiniteChangesNothing) {
  const auto sac = MakeSmallSac();
  const auto before = sac->Save();

  const UpdateResult result =
      sac->Update(MakeChoice(1, -1, std::numeric_limits<float>::quiet_NaN()));

  EXPECT_TRUE(result.skipped);
  const auto after = sac->Save();
  for (std::size_t i = 0; i < before.arrays.size(); ++i)
    EXPECT_EQ(after.arrays[i].values, before.arrays[i].values) << before.arrays[i].name;
}

TEST(Sac, ARestoredOneContinuesExactly) {
  SacOptions options = kSmall;
  options.target_entropy = 0.1;
  const auto original = MakeSmallSac(options, 1);
  for (int i = 0; i < 5; ++i) original->Update(MakeChoice(0.1f * static_cast<float>(i)));
  const auto restored = MakeSmallSac(options, 2);
  restored->Restore(original->Save());

  original->Update(MakeChoice(1));
  restored->Update(MakeChoice(1));

  const AlgorithmState a = original->Save(), b = restored->Save();
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (std::size_t i = 0; i < a.arrays.size(); ++i)
    EXPECT_EQ(a.arrays[i].values, b.arrays[i].values) << a.arrays[i].name;
  EXPECT_EQ(a.counters, b.counters);
}

TEST(Sac, RefusesTheStateOfAnotherNetworkAndKeepsItsOwn) {
  const auto sac = MakeSmallSac();
  const AlgorithmState before = sac->Save();
  const auto wider = MakeSac({.width = 16, .layers = 1}, kFeatures, "cpu", 1)->Save();
  AlgorithmState missing = before, cold = before, other = before;
  std::erase_if(missing.arrays,
                [](const auto& array) { return array.name == "critic.1.target.values.bias"; });
  Find(missing, "policy.logit.bias").values = {5};
  cold.arrays.pop_back();
  other.architecture = "disagreement_mlp";

  for (const AlgorithmState& state : {wider, missing, cold, other})
    EXPECT_THROW(sac->Restore(state), core::ModelError);

  const AlgorithmState after = sac->Save();
  for (std::size_t i = 0; i < before.arrays.size(); ++i)
    EXPECT_EQ(after.arrays[i].values, before.arrays[i].values);
}

TEST(SacOptions, RefusesWhatTrainingCannotWorkWith) {
  EXPECT_NO_THROW(SacOptions().Validate());
  EXPECT_THROW(SacOptions{.width = 4}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.temperature = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.target_entropy = 0.7}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.overdraft_penalty = 0}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
