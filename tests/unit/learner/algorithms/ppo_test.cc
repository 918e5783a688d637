#include "learner/algorithms/ppo.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"
#include "tests/support/algorithm_support.h"

namespace londi::learner {
namespace {

using testing::MakeChoice;

TEST(Ppo, MovesTowardsTheBetterChoiceAsFarAsTheClipAllows) {
  at::set_num_threads(1);  // More of them would wait for one another.
  PpoOptions options;
  options.network.width = 8;
  options.network.layers = 1;
  options.network.adam.learning_rate = 1e-2;
  const auto logit_after = [&](float called) {
    const auto ppo = MakePpo(options, testing::kNumFeatures, "cpu", /*seed=*/1);
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

// Two tasks that look the same. In the one a boundary earned as much without a call, in the other
// none earned anything, and the call did: whatever the returns, that call is what helped.
TEST(Ppo, LearnsFromHowMuchBetterThanTheBoundariesItWas) {
  at::set_num_threads(1);
  PpoOptions options;
  options.network.width = 8;
  options.network.layers = 1;
  options.network.adam.learning_rate = 1e-2;
  const auto logit_after = [&](std::vector<float> references) {
    const auto ppo = MakePpo(options, testing::kNumFeatures, "cpu", /*seed=*/1);
    learner::Batch batch = MakeChoice(/*called=*/0.55f);  // 0.45 with its cost; 0.5 without.
    batch.references = std::move(references);
    for (int i = 0; i < 200; ++i) ppo->Update(batch);
    return ppo->Export(core::WeightsVersion(1))->Find("logit.bias").values[0];
  };

  EXPECT_LT(logit_after({0, 0}), 0);
  EXPECT_GT(logit_after({0.5f, 0}), 0);
  EXPECT_LT(logit_after({0.5f, 0.5f}), 0) << "both tasks alike: as without";
}

TEST(PpoOptions, RefusesWhatTrainingCannotWorkWith) {
  EXPECT_NO_THROW(PpoOptions().Validate());
  EXPECT_THROW(PpoOptions{.network = {.width = 4}}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.clip = 0}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.gae_lambda = 1.5}.Validate(), core::ConfigError);
  EXPECT_THROW(PpoOptions{.entropy_weight = -1}.Validate(), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
