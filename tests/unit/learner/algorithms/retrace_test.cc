#include "learner/algorithms/retrace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace londi::learner {
namespace {

constexpr std::int32_t kUnlimited = -1;

// Q_R = 2 -+ advantage / 2, Q_N = 1 -+ 1 / 2.
Values WithAdvantage(float advantage) {
  return {.return_value = 2, .return_advantage = advantage, .calls_value = 1, .calls_advantage = 1};
}

TEST(ActivationProbOf, IsALogisticOfTheAdvantageAtTheCost) {
  const Values values = WithAdvantage(0.3f);

  EXPECT_NEAR(ActivationProbOf(values, {0.1f, kUnlimited}, 0.1), 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(ActivationProbOf(values, {0.5f, 3}, 0.1), 1 / (1 + std::exp(2.0)), 1e-6);
  EXPECT_EQ(ActivationProbOf(values, {0.1f, 3}, 0), 1);
  EXPECT_EQ(ActivationProbOf(values, {0.3f, 3}, 0), 0);  // A tie.
  EXPECT_EQ(ActivationProbOf(values, {0.1f, 0}, 0.1), 0);
  EXPECT_EQ(ActivationProbOf(values, {0.1f, 49}, 0, /*least_per_call=*/50), 0);
  EXPECT_EQ(ActivationProbOf(values, {0.1f, 50}, 0, /*least_per_call=*/50), 1);
  EXPECT_EQ(
      ActivationProbOf(WithAdvantage(std::numeric_limits<float>::quiet_NaN()), {0.1f, 3}, 0.1), 0);
}

// One row without a call whose successor was recorded with one, with probability 0.8.
Batch MakeTwoSteps(std::int32_t remaining) {
  Batch batch;
  batch.num_states = 1;
  batch.num_successors = 2;
  batch.contexts = {{0, remaining}, {0, remaining}, {0, remaining - (remaining > 0)}};
  batch.entries = {{.num_horizons = 2}};
  batch.horizons = {{.reward = 0.5f, .discount = 0.9f},
                    {.reward = 0.5f, .calls = 0.9f, .spent = 1, .discount = 0.81f}};
  batch.horizon_successor = {0, 1};
  batch.horizon_activated = {1, 0};
  batch.horizon_behaviour_prob = {0.8f, 1};
  return batch;
}

TEST(MakeRetraceTargets, GoOnAsFarAsThePolicyCouldHaveDoneTheSame) {
  // Even odds there, a greedy policy behind it; the target network knows better.
  const std::vector<Values> chosen_by{WithAdvantage(0), WithAdvantage(100)};
  const std::vector<Values> valued_by{WithAdvantage(2), WithAdvantage(4)};
  const auto target = [&](std::int32_t remaining) {
    return MakeRetraceTargets(
        MakeTwoSteps(remaining), chosen_by, valued_by, {.lambda = 0.5, .temperature = 0.1})[0];
  };

  const float trace = 0.5f * 0.5f / 0.8f;
  EXPECT_FLOAT_EQ(target(5).return_value, 0.5f + 0.9f * 2 + trace * (0.81f * 4 - 0.9f * 3));
  EXPECT_FLOAT_EQ(target(5).calls_value, 0.9f * 1 + trace * (0.9f + 0.81f * 1.5f - 0.9f * 1.5f));
  // Nothing is left: what was done there may not be followed.
  EXPECT_FLOAT_EQ(target(0).return_value, 0.5f + 0.9f * 1);
  EXPECT_FLOAT_EQ(target(0).calls_value, 0.9f * 0.5f);
}

TEST(MakeRetraceTargets, AreTheGreedyOnesOfChooseBootstrapsWithoutATemperature) {
  const Batch batch = MakeTwoSteps(kUnlimited);
  for (const float advantage : {-1.0f, 1.0f}) {
    const std::vector<Values> values{WithAdvantage(advantage), WithAdvantage(3)};
    std::vector<Bootstrap> bootstraps(1);
    ChooseBootstraps(batch, values, bootstraps);
    const auto& rest = values[static_cast<std::size_t>(bootstraps[0].successor)];

    const Target target = MakeRetraceTargets(batch, values, values, {.lambda = 1})[0];

    EXPECT_NEAR(target.return_value,
                bootstraps[0].horizon.reward +
                    bootstraps[0].horizon.discount * rest.Return(bootstraps[0].activate),
                1e-5);
  }
}

}  // namespace
}  // namespace londi::learner
