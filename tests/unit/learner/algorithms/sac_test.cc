#include "learner/algorithms/sac.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "core/error.h"
#include "tests/support/algorithm_support.h"

namespace londi::learner {
namespace {

using testing::FindArray;
using testing::MakeChoice;

constexpr SacOptions kSmall{.network = {.width = 8, .layers = 1, .adam = {.learning_rate = 1e-2}},
                            .target_rate = 0.5};

std::unique_ptr<Algorithm> MakeSmallSac(const SacOptions& options = kSmall) {
  at::set_num_threads(1);  // More of them would wait for one another.
  return MakeSac(options, testing::kNumFeatures, "cpu", /*seed=*/1);
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
  const auto sac = MakeSmallSac({.network = {.width = 8, .layers = 1}, .temperature = 0.2});
  AlgorithmState state = sac->Save();
  FindArray(state, "critic.0.target.values.bias").values = {2, 5};
  FindArray(state, "critic.1.target.values.bias").values = {3, 4};
  for (const char* critic : {"critic.0.values.bias", "critic.1.values.bias"})
    FindArray(state, critic).values = {100, 100};  // The online ones have no say.
  FindArray(state, "policy.logit.bias").values = {0};
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
      return FindArray(state, "temperature").values[0];
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

TEST(SacOptions, RefusesWhatTrainingCannotWorkWith) {
  EXPECT_NO_THROW(SacOptions().Validate());
  EXPECT_THROW(SacOptions{.network = {.width = 4}}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.temperature = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.target_entropy = 0.7}.Validate(), core::ConfigError);
  EXPECT_THROW(SacOptions{.overdraft_penalty = 0}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
