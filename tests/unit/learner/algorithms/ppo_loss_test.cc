#include "learner/algorithms/ppo_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "learner/algorithms/logistic.h"

namespace londi::learner {
namespace {

constexpr std::int32_t kUnlimited = -1;

// A row that called, with a window of two rows; one that did not, at the end of its episode.
Batch MakeBatch(std::int32_t remaining_of_second = kUnlimited) {
  Batch batch;
  batch.num_states = 2;
  batch.num_successors = 2;
  batch.contexts = {{0.1f, 3}, {0.1f, remaining_of_second}, {0.1f, 2}, {0.1f, 2}};
  batch.behaviour_probs = {0.4f, 0.5f};
  batch.references = {0, 0};
  batch.entries = {{.state = 0, .activate = true, .num_horizons = 2},
                   {.state = 1, .first_horizon = 2, .num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .calls = 1, .discount = 0.9f},
                    {.reward = 1, .calls = 1.9f, .discount = 0.81f},
                    {.reward = 1, .discount = 0.9f, .terminal = true}};
  batch.horizon_successor = {0, 1, -1};
  return batch;
}

TEST(EstimateAdvantages, MixTheWindowsLengthsAndTakeTheCostOut) {
  const std::vector<float> values{2, 3}, successors{4, 5};
  const double one = 0.5 - 0.1 + 0.9 * 4 - 2, two = 1 - 0.19 + 0.81 * 5 - 2;
  for (const double lambda : {0.0, 0.7, 1.0}) {
    const auto estimates = EstimateAdvantages(MakeBatch(), values, successors, lambda);

    ASSERT_EQ(estimates.size(), 2u);
    EXPECT_NEAR(estimates[0].advantage, (1 - lambda) * one + lambda * two, 1e-6);
    EXPECT_NEAR(estimates[0].value, 2 + estimates[0].advantage, 1e-6);
    EXPECT_NEAR(estimates[1].advantage, 1 - 3, 1e-6);
  }
}

// Values are relative, too: what is taken off a state's return was taken off its successor's, and
// only what the discount leaves of that remains to be done.
TEST(EstimateAdvantages, AreRelativeToTheTasksReference) {
  const std::vector<float> values{2, 3}, successors{4, 5};
  Batch batch = MakeBatch();
  batch.references = {0.5f, 0.75f};
  for (const double lambda : {0.0, 0.7, 1.0}) {
    const auto plain = EstimateAdvantages(MakeBatch(), values, successors, lambda);
    const auto relative = EstimateAdvantages(batch, values, successors, lambda);

    const double one = (1 - 0.9) * 0.5, two = (1 - 0.81) * 0.5;
    EXPECT_NEAR(
        relative[0].advantage, plain[0].advantage - (1 - lambda) * one - lambda * two, 1e-6);
    EXPECT_NEAR(relative[1].advantage, plain[1].advantage - 0.75, 1e-6) << "the episode's end";
  }
}

// Nobody's policy is ranked otherwise: with the values that belong to them, relative returns are as
// much better or worse than their state as the others.
TEST(EstimateAdvantages, AReferenceThatTheValuesKnowChangesNoAdvantage) {
  const std::vector<float> values{2, 3}, successors{4, 5};
  const std::vector<float> relative_values{1.5f, 2.5f}, relative_successors{3.5f, 4.5f};
  Batch batch = MakeBatch();
  batch.references = {0.5f, 0.5f};

  const auto plain = EstimateAdvantages(MakeBatch(), values, successors, 0.7);
  const auto relative = EstimateAdvantages(batch, relative_values, relative_successors, 0.7);

  EXPECT_NEAR(relative[0].advantage, plain[0].advantage, 1e-6);
  EXPECT_NEAR(relative[1].advantage, plain[1].advantage, 1e-6);
}

TEST(NormalizeAdvantages, GivesThemMeanZeroAndDeviationOne) {
  std::vector<AdvantageEstimate> estimates{{1, 7}, {5, 8}};
  NormalizeAdvantages(MakeBatch(), estimates);
  EXPECT_NEAR(estimates[0].advantage, -1, 1e-6);
  EXPECT_NEAR(estimates[1].advantage, 1, 1e-6);
  EXPECT_EQ(estimates[0].value, 7);

  std::vector<AdvantageEstimate> equal{{2, 0}, {2, 0}};
  NormalizeAdvantages(MakeBatch(), equal);
  EXPECT_EQ(equal[0].advantage, 2);
}

TEST(NormalizeAdvantages, RowsWithoutAChoiceHaveNoShareInWhatAGoodChoiceIs) {
  Batch batch = MakeBatch(/*remaining_of_second=*/0);
  batch.contexts.insert(batch.contexts.begin() + 2, {0.1f, 1});
  std::vector<AdvantageEstimate> estimates{{1, 0}, {100, 0}, {5, 0}};

  NormalizeAdvantages(batch, estimates);

  EXPECT_NEAR(estimates[0].advantage, -1, 1e-6);
  EXPECT_EQ(estimates[1].advantage, 100);
  EXPECT_NEAR(estimates[2].advantage, 1, 1e-6);
}

double LossAt(float logit, float advantage, std::int32_t remaining = kUnlimited) {
  std::vector<float> unused(2);
  return ComputePpoLoss(MakeBatch(remaining),
                        std::vector<float>{0, logit},
                        std::vector<AdvantageEstimate>{{0, 0}, {advantage, 0}},
                        0.2,
                        0.05,
                        unused)
      .loss;
}

float SlopeAt(float logit, float advantage, std::int32_t remaining = kUnlimited) {
  std::vector<float> gradient(2, 9);
  ComputePpoLoss(MakeBatch(remaining),
                 std::vector<float>{0, logit},
                 std::vector<AdvantageEstimate>{{0, 0}, {advantage, 0}},
                 0.2,
                 0.05,
                 gradient);
  return gradient[1];
}

TEST(ComputePpoLoss, ItsGradientIsTheMeasuredSlope) {
  for (const float advantage : {-1.5f, 0.5f}) {
    for (const float logit : {-1.5f, -0.1f, 0.1f, 1.5f}) {
      const double measured =
          (LossAt(logit + 0.01f, advantage) - LossAt(logit - 0.01f, advantage)) / 0.02;
      EXPECT_NEAR(SlopeAt(logit, advantage), measured, 1e-3) << logit << ", " << advantage;
    }
  }
}

TEST(ComputePpoLoss, StopsFollowingAnAdvantageWhereTheRatioLeavesTheClip) {
  const auto of_entropy = [](float logit) {
    return 0.5f * 0.05f * Sigmoid(logit) * (1 - Sigmoid(logit)) * logit;
  };
  // Not calling had 0.5, and has more here: a good choice is not followed further ...
  EXPECT_NEAR(SlopeAt(-1, 1), of_entropy(-1), 1e-6);
  EXPECT_GT(SlopeAt(-1, -1), -1);  // ... a bad one is left,
  EXPECT_LT(SlopeAt(-1, -1), -0.05);
  // and the other way round where it has less.
  EXPECT_NEAR(SlopeAt(1, -1), of_entropy(1), 1e-6);
  EXPECT_GT(SlopeAt(1, 1), 0.05);
}

TEST(ComputePpoLoss, TheGovernorsChoicesAreNotThePolicys) {
  EXPECT_EQ(SlopeAt(0.5f, 1, /*remaining=*/0), 0);
  EXPECT_NE(SlopeAt(0.5f, 1, /*remaining=*/1), 0);
}

TEST(ComputeValueLoss, PullsTowardsTheEstimates) {
  std::vector<float> gradient(2);

  const double loss = ComputeValueLoss(
      std::vector<float>{1, 5}, std::vector<AdvantageEstimate>{{0, 0.5f}, {0, 8}}, gradient);

  EXPECT_FLOAT_EQ(static_cast<float>(loss), (0.125f + 2.5f) / 2);
  EXPECT_FLOAT_EQ(gradient[0], 0.25f);
  EXPECT_FLOAT_EQ(gradient[1], -0.5f);
}

}  // namespace
}  // namespace londi::learner
