#include "learner/algorithms/sac_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace londi::learner {
namespace {

constexpr std::int32_t kUnlimited = -1;

// Two rows: one that called (reward 0.5), one that did not and ended its episode (reward 1).
Batch MakeBatch(std::int32_t remaining_of_second = kUnlimited) {
  Batch batch;
  batch.num_states = 2;
  batch.num_successors = 1;
  batch.contexts = {{0.1f, 3}, {0.1f, remaining_of_second}, {0.1f, 2}};
  batch.entries = {{.state = 0, .activate = true, .weight = 1, .num_horizons = 1},
                   {.state = 1, .weight = 0.5f, .first_horizon = 1, .num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .calls = 1, .spent = 1, .discount = 0.9f},
                    {.reward = 1, .discount = 0.9f, .terminal = true}};
  batch.horizon_successor = {0, -1};
  return batch;
}

TEST(SoftValue, IsTheExpectedValueAndTheEntropyPaidFor) {
  const ActionValues values{.quick = 1, .deepthink = 3};

  EXPECT_FLOAT_EQ(SoftValue(0, values, 0), 2);
  EXPECT_FLOAT_EQ(SoftValue(0, values, 0.5f), 2 + 0.5f * std::log(2.0f));
  EXPECT_FLOAT_EQ(SoftValue(200, values, 0.5f), 3);  // Certain: no entropy, and no overflow.
  EXPECT_FLOAT_EQ(SoftValue(-200, values, 0.5f), 1);
}

TEST(MakeSacSteps, TakeTheCostOutOfTheReward) {
  const std::vector<SacStep> steps = MakeSacSteps(MakeBatch(), 7);

  ASSERT_EQ(steps.size(), 2u);
  EXPECT_TRUE(steps[0].activate);
  EXPECT_FLOAT_EQ(steps[0].reward, 0.5f - 0.1f);
  EXPECT_FLOAT_EQ(steps[0].discount, 0.9f);
  EXPECT_EQ(steps[0].successor, 0);
  EXPECT_FLOAT_EQ(steps[1].reward, 1);
  EXPECT_EQ(steps[1].successor, -1);
}

TEST(MakeSacSteps, ACallThatTheBudgetDeniesIsPunishedAndLeadsWhereQuickLeads) {
  const std::vector<SacStep> steps = MakeSacSteps(MakeBatch(/*remaining_of_second=*/0), 7);

  ASSERT_EQ(steps.size(), 3u);
  EXPECT_FALSE(steps[1].activate);
  EXPECT_TRUE(steps[2].activate);
  EXPECT_EQ(steps[2].state, 1);
  EXPECT_FLOAT_EQ(steps[2].reward, -7);
  EXPECT_FLOAT_EQ(steps[2].weight, 0.5f);
  EXPECT_EQ(steps[2].successor, steps[1].successor);
}

TEST(MakeSacTargets, ContinueWithTheSoftValueUnlessTheEpisodeEnded) {
  const std::vector<SacStep> steps = MakeSacSteps(MakeBatch(), 7);
  const std::vector<float> logits{0};
  const std::vector<ActionValues> values{{.quick = 1, .deepthink = 3}};

  const std::vector<float> targets = MakeSacTargets(steps, logits, values, 0);

  EXPECT_FLOAT_EQ(targets[0], 0.4f + 0.9f * 2);
  EXPECT_FLOAT_EQ(targets[1], 1);
}

TEST(ComputeCriticLoss, TeachesTheChoiceThatWasTakenAndKeepsTheLargestError) {
  const std::vector<SacStep> steps = MakeSacSteps(MakeBatch(/*remaining_of_second=*/0), 7);
  const std::vector<ActionValues> values{{0, 0.5f}, {1, 1}};
  std::vector<ActionValues> gradient(2, {9, 9});
  std::vector<float> errors{0.75f, 0};

  const double loss =
      ComputeCriticLoss(steps, values, std::vector<float>{0.25f, 1, -7}, gradient, errors);

  EXPECT_FLOAT_EQ(static_cast<float>(loss), (0.5f * 0.0625f + 0.5f * 7.5f) / 2);
  EXPECT_FLOAT_EQ(gradient[0].quick, 0);
  EXPECT_FLOAT_EQ(gradient[0].deepthink, 0.25f / 2);
  EXPECT_FLOAT_EQ(gradient[1].quick, 0);
  EXPECT_FLOAT_EQ(gradient[1].deepthink, 0.5f / 2);  // Huber: the slope is at most 1.
  EXPECT_FLOAT_EQ(errors[0], 0.75f);                 // The other critic's.
  EXPECT_FLOAT_EQ(errors[1], 8);
}

TEST(ComputeCriticLoss, ANotANumberReachesTheErrors) {
  const std::vector<SacStep> steps = MakeSacSteps(MakeBatch(), 7);
  const std::vector<ActionValues> values{{0, std::numeric_limits<float>::quiet_NaN()}, {1, 1}};
  std::vector<ActionValues> gradient(2);
  std::vector<float> errors{0.75f, 0};

  ComputeCriticLoss(steps, values, std::vector<float>{0, 1}, gradient, errors);

  EXPECT_TRUE(std::isnan(errors[0]));
}

TEST(ComputeSacPolicyLoss, ItsGradientIsTheMeasuredSlope) {
  const Batch batch = MakeBatch();
  const std::vector<ActionValues> values{{.quick = 0.2f, .deepthink = 0.5f}, {1, 0.7f}};
  for (const float logit : {-3.0f, 0.0f, 0.7f}) {
    std::vector<float> logits{logit, 0.3f};
    std::vector<float> gradient(2);
    const auto loss_at = [&](float moved) {
      std::vector<float> unused(2);
      return ComputeSacPolicyLoss(batch, std::vector<float>{moved, 0.3f}, values, 0.2f, unused)
          .loss;
    };

    ComputeSacPolicyLoss(batch, logits, values, 0.2f, gradient);

    EXPECT_NEAR(gradient[0], (loss_at(logit + 0.05f) - loss_at(logit - 0.05f)) / 0.1, 1e-4);
  }
}

TEST(ComputeSacPolicyLoss, RestsWhereTheLogitIsTheAdvantageInTemperatures) {
  const Batch batch = MakeBatch();
  const std::vector<ActionValues> values{{.quick = 0.25f, .deepthink = 0.75f}, {1, 1}};
  std::vector<float> gradient(2);

  const SacPolicyLoss loss =
      ComputeSacPolicyLoss(batch, std::vector<float>{2, 0}, values, 0.25f, gradient);

  EXPECT_FLOAT_EQ(gradient[0], 0);
  EXPECT_FLOAT_EQ(gradient[1], 0);
  const double p = 1 / (1 + std::exp(-2.0));
  const double entropy = -p * std::log(p) - (1 - p) * std::log(1 - p);
  EXPECT_NEAR(loss.entropy, (entropy + 0.5 * std::log(2)) / 2, 1e-6);
}

}  // namespace
}  // namespace londi::learner
