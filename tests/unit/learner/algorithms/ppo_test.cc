#include "learner/algorithms/ppo.h"

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

std::unique_ptr<Algorithm> MakeSmallPpo(std::uint64_t seed = 1) {
  at::set_num_threads(1);  // More of them would wait for one another.
  return MakePpo({.width = 8, .layers = 1, .learning_rate = 1e-2}, kFeatures, "cpu", seed);
}

// Two looks at one state: with a call (reward `called`), without (reward 0.5). Both end there.
Batch MakeChoice(float called, float feature = 0.5f) {
  Batch batch;
  batch.num_states = 2;
  batch.width = kFeatures + core::kNumContextInputs;
  const std::span<float> inputs = batch.inputs.Resize(2 * static_cast<std::size_t>(batch.width));
  std::fill(inputs.begin(), inputs.end(), feature);
  batch.contexts = {{0.1f, -1}, {0.1f, -1}};
  batch.behaviour_probs = {0.5f, 0.5f};
  batch.entries = {{.state = 0, .num_horizons = 1},
                   {.state = 1, .activate = true, .first_horizon = 1, .num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .discount = 0.9f, .terminal = true},
                    {.reward = called, .calls = 1, .discount = 0.9f, .terminal = true}};
  batch.horizon_successor = {-1, -1};
  return batch;
}

TEST(Ppo, BeginsAsAFairCoin) {
  const auto weights = MakeSmallPpo()->Export(core::WeightsVersion(3));

  EXPECT_EQ(weights->architecture, core::policy_network::kArchitecture);
  EXPECT_EQ(weights->Find("logit.weight").values, std::vector<float>(8, 0.0f));
}

TEST(Ppo, MovesTowardsTheBetterChoiceAsFarAsTheClipAllows) {
  const auto logit_after = [](float called) {
    const auto ppo = MakeSmallPpo();
    for (int i = 0; i < 200; ++i) ppo->Update(MakeChoice(called));
    const UpdateResult result = ppo->Update(MakeChoice(called));
    EXPECT_NEAR(result.mean_target_return, (0.5 + called - 0.1) / 2, 1e-5);
    EXPECT_LT(result.loss_return, 0.02);
    const double p = 0.6;  // 1.2 times what it was.
    EXPECT_NEAR(result.policy_entropy, -p * std::log(p) - (1 - p) * std::log(1 - p), 0.02);
    return ppo->Export(core::WeightsVersion(1))->Find("logit.bias").values[0];
  };

  EXPECT_GT(logit_after(0.7f), 0);
  EXPECT_LT(logit_after(0.55f), 0);
}

TEST(Ppo, AnUpdateThatIsNotFiniteChangesNothing) {
  const auto ppo = MakeSmallPpo();
  const auto before = ppo->Save();

  const UpdateResult result = ppo->Update(MakeChoice(1, std::numeric_limits<float>::quiet_NaN()));

  EXPECT_TRUE(result.skipped);
  const auto after = ppo->Save();
  for (std::size_t i = 0; i < before.arrays.size(); ++i)
    EXPECT_EQ(after.arrays[i].values, before.arrays[i].values) << before.arrays[i].name;
}

TEST(Ppo, ARestoredOneContinuesExactly) {
  const auto original = MakeSmallPpo(1);
  for (int i = 0; i < 5; ++i) original->Update(MakeChoice(0.1f * static_cast<float>(i)));
  const auto restored = MakeSmallPpo(2);
  restored->Restore(original->Save());

  original->Update(MakeChoice(1));
  restored->Update(MakeChoice(1));

  const AlgorithmState a = original->Save(), b = restored->Save();
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (std::size_t i = 0; i < a.arrays.size(); ++i)
    EXPECT_EQ(a.arrays[i].values, b.arrays[i].values) << a.arrays[i].name;
  EXPECT_EQ(a.counters, b.counters);
}

TEST(Ppo, RefusesTheStateOfAnotherNetworkAndKeepsItsOwn) {
  const auto ppo = MakeSmallPpo();
  const AlgorithmState before = ppo->Save();
  AlgorithmState missing = before, other = before;
  missing.arrays.pop_back();
  std::ranges::fill(missing.arrays[0].values, 5.0f);
  other.architecture = "sac";

  EXPECT_THROW(ppo->Restore(missing), core::ModelError);
  EXPECT_THROW(ppo->Restore(other), core::ModelError);

  const AlgorithmState after = ppo->Save();
  for (std::size_t i = 0; i < before.arrays.size(); ++i)
    EXPECT_EQ(after.arrays[i].values, before.arrays[i].values);
}

TEST(PpoOptions, RefusesWhatTrainingCannotWorkWith) {
  EXPECT_NO_THROW(PpoOptions().Validate());
  EXPECT_THROW(PpoOptions{.width = 4}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.clip = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.gae_lambda = 1.5}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.entropy_weight = -1}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
