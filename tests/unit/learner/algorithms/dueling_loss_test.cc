#include "learner/algorithms/dueling_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace londi::learner {
namespace {

constexpr std::int32_t kUnlimited = -1;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// One state, one entry whose window is followed over `contexts.size()` successors, each recorded
// with the choice in `activated`.
Batch MakeWindow(const std::vector<Context>& successors,
                 const std::vector<std::uint8_t>& activated) {
  Batch batch;
  batch.num_states = 1;
  batch.num_successors = static_cast<int>(successors.size());
  batch.contexts = {{}};
  batch.contexts.insert(batch.contexts.end(), successors.begin(), successors.end());
  batch.entries = {{.num_horizons = static_cast<std::int32_t>(successors.size())}};
  for (std::size_t i = 0; i < successors.size(); ++i) {
    batch.horizons.push_back({.reward = static_cast<float>(i), .discount = 0.5f});
    batch.horizon_successor.push_back(static_cast<std::int32_t>(i));
    batch.horizon_activated.push_back(activated[i]);
  }
  return batch;
}

Bootstrap Choose(const Batch& batch, const std::vector<Values>& successors) {
  std::vector<Bootstrap> out(batch.entries.size());
  ChooseBootstraps(batch, successors, out);
  return out[0];
}

constexpr Values kWantsCall{.return_advantage = 0.1f, .calls_advantage = 1};
constexpr Values kWantsQuick{.return_advantage = -0.1f, .calls_advantage = 1};

TEST(ChooseBootstraps, TakesTheGreedyChoiceAtTheSuccessorsCost) {
  EXPECT_TRUE(Choose(MakeWindow({{0.05f, kUnlimited}}, {0}), {kWantsCall}).activate);
  EXPECT_FALSE(Choose(MakeWindow({{0.15f, kUnlimited}}, {0}), {kWantsCall}).activate);
}

TEST(ChooseBootstraps, MasksWhatTheBudgetForbids) {
  EXPECT_TRUE(Choose(MakeWindow({{0, 1}}, {0}), {kWantsCall}).activate);
  EXPECT_FALSE(Choose(MakeWindow({{0, 0}}, {0}), {kWantsCall}).activate);
}

TEST(ChooseBootstraps, MasksABudgetAtWhichTheGovernorAdmitsNoCall) {
  Batch batch = MakeWindow({{0, 49}, {0, 49}}, {1, 0});
  EXPECT_EQ(Choose(batch, {kWantsCall, kWantsCall}).successor, 1);
  batch.least_per_call = 50;
  EXPECT_EQ(Choose(batch, {kWantsCall, kWantsCall}).successor, 0);
  EXPECT_FALSE(Choose(batch, {kWantsCall, kWantsCall}).activate);
}

TEST(ChooseBootstraps, FollowsRowsThatDidTheLegalGreedyThing) {
  const std::vector<Values> call_call = {kWantsCall, kWantsCall};

  // Recorded activated, and greedy: on to the second successor.
  EXPECT_EQ(Choose(MakeWindow({{0, 5}, {0, 4}}, {1, 1}), call_call).successor, 1);
  // Recorded QUICK where the greedy choice calls: no further than the first.
  EXPECT_EQ(Choose(MakeWindow({{0, 5}, {0, 4}}, {0, 1}), call_call).successor, 0);
  // Recorded activated, but this budget forbids it.
  EXPECT_EQ(Choose(MakeWindow({{0, 0}, {0, 0}}, {1, 1}), call_call).successor, 0);
  // Recorded QUICK under an empty budget: that is the legal greedy choice.
  EXPECT_EQ(Choose(MakeWindow({{0, 0}, {0, 0}}, {0, 0}), call_call).successor, 1);
  EXPECT_EQ(Choose(MakeWindow({{0, 5}, {0, 5}}, {0, 0}), {kWantsQuick, kWantsQuick}).successor, 1);
}

TEST(ChooseBootstraps, ATerminalHorizonHasNoSuccessor) {
  Batch batch = MakeWindow({{0, 5}, {0, 5}}, {1, 0});
  batch.horizons[1].terminal = true;
  batch.horizon_successor[1] = -1;

  const Bootstrap bootstrap = Choose(batch, {kWantsCall, kWantsCall});

  EXPECT_EQ(bootstrap.successor, -1);
  EXPECT_FALSE(bootstrap.activate);
  EXPECT_TRUE(bootstrap.horizon.terminal);
  EXPECT_FLOAT_EQ(bootstrap.horizon.reward, 1);
}

// Two states; the first has both choices as entries.
Batch MakeLossBatch() {
  Batch batch;
  batch.num_states = 2;
  batch.contexts = {{0.1f, 3}, {0.2f, kUnlimited}};
  batch.entries = {{.state = 0, .activate = false, .weight = 1},
                   {.state = 1, .activate = true, .weight = 0.5f},
                   {.state = 0, .activate = true, .weight = 0.75f}};
  return batch;
}

TEST(ComputeLoss, ItsGradientIsThatOfTheLoss) {
  const Batch batch = MakeLossBatch();
  const std::vector<Target> targets = {{0.3f, 1.2f}, {2.5f, -3.0f}, {0.1f, 0.4f}};
  std::vector<Values> heads = {{0.5f, 0.2f, 1.0f, 0.7f}, {0.4f, -0.3f, 0.2f, 0.1f}};
  constexpr std::size_t kNumFloats = 2 * sizeof(Values) / sizeof(float);
  constexpr LossWeights kWeights{.calls = 0.25, .scalarized = 2};
  std::vector<Values> gradient(2), ignored(2);
  std::vector<float> errors(2);
  ComputeLoss(batch, heads, targets, kWeights, gradient, errors);

  auto* values = reinterpret_cast<float*>(heads.data());
  const auto* slopes = reinterpret_cast<const float*>(gradient.data());
  for (std::size_t i = 0; i < kNumFloats; ++i) {
    const auto loss_at = [&](float shift) {
      const float before = values[i];
      values[i] = before + shift;
      const DuelingLoss loss = ComputeLoss(batch, heads, targets, kWeights, ignored, errors);
      values[i] = before;
      return loss.loss_return + kWeights.calls * loss.loss_calls +
             kWeights.scalarized * loss.loss_scalarized;
    };
    EXPECT_NEAR((loss_at(1e-2f) - loss_at(-1e-2f)) / 2e-2, slopes[i], 1e-4) << i;
  }
}

TEST(ComputeLoss, IsHuberWeightedAndAveragedOverStates) {
  Batch batch = MakeLossBatch();
  batch.entries.resize(2);
  const std::vector<Values> heads(2);  // All predictions are 0.
  const std::vector<Target> targets = {{0.5f, 0}, {3, 1}};
  std::vector<Values> gradient(2);
  std::vector<float> errors(2);

  const DuelingLoss loss = ComputeLoss(batch, heads, targets, {}, gradient, errors);

  EXPECT_NEAR(loss.loss_return, (1 * 0.125 + 0.5 * 2.5) / 2, 1e-6);
  EXPECT_NEAR(loss.loss_calls, 0.5 * 0.5 / 2, 1e-6);
  // Errors -0.5 at cost 0.1, and -3 + 0.2 * 1.
  EXPECT_NEAR(loss.loss_scalarized, (1 * 0.125 + 0.5 * 2.3) / 2, 1e-6);
}

TEST(ComputeLoss, AStatesErrorIsTheLargerOfItsChoicesWithTheCostOfCalls) {
  const Batch batch = MakeLossBatch();
  const std::vector<Values> heads(2);
  const std::vector<Target> targets = {{0.5f, 2}, {3, 1}, {-0.2f, 1}};
  std::vector<Values> gradient(2);
  std::vector<float> errors(2);

  ComputeLoss(batch, heads, targets, {}, gradient, errors);

  EXPECT_FLOAT_EQ(errors[0], 0.5f + 0.1f * 2);
  EXPECT_FLOAT_EQ(errors[1], 3 + 0.2f * 1);
}

TEST(ComputeLoss, ANaNReachesTheCallerAsAnError) {
  const Batch batch = MakeLossBatch();
  const std::vector<Values> heads(2);
  const std::vector<Target> targets = {{kNaN, 0}, {0, 0}, {1, 1}};
  std::vector<Values> gradient(2);
  std::vector<float> errors(2);

  ComputeLoss(batch, heads, targets, {}, gradient, errors);

  EXPECT_TRUE(std::isnan(errors[0]));
  EXPECT_EQ(errors[1], 0);
}

// Both choices of one state, under `context`.
Batch MakeBothChoices(const Context& context) {
  Batch batch;
  batch.num_states = 1;
  batch.contexts = {context};
  batch.entries = {{.activate = false}, {.activate = true}};
  return batch;
}

TEST(WidenActionGaps, LowersTheWorseChoiceByAShareOfWhatItIsWorthLess) {
  const Batch batch = MakeBothChoices({0.3f, kUnlimited});
  const auto targets_by = [&](const Values& values) {
    std::vector<Target> targets = {{0.5f, 0}, {0.7f, 1}};
    WidenActionGaps(batch, std::vector{values}, 0.5, targets);
    return targets;
  };

  // A call is worth 0.2 less than waiting, at this cost.
  std::vector<Target> targets = targets_by({.return_advantage = 0.1f, .calls_advantage = 1});
  EXPECT_FLOAT_EQ(targets[0].return_value, 0.5f);
  EXPECT_FLOAT_EQ(targets[1].return_value, 0.7f - 0.1f);
  EXPECT_FLOAT_EQ(targets[1].calls_value, 1);  // The bill stays.
  // Waiting 0.4 less.
  targets = targets_by({.return_advantage = 0.7f, .calls_advantage = 1});
  EXPECT_FLOAT_EQ(targets[0].return_value, 0.5f - 0.2f);
  EXPECT_FLOAT_EQ(targets[1].return_value, 0.7f);
}

TEST(WidenActionGaps, LeavesAloneWhereOneChoiceIsLegal) {
  std::vector<Target> targets = {{0.5f, 0}, {0.7f, 1}};

  WidenActionGaps(MakeBothChoices({0.3f, 0}), std::vector{kWantsCall}, 0.5, targets);

  EXPECT_FLOAT_EQ(targets[0].return_value, 0.5f);
  EXPECT_FLOAT_EQ(targets[1].return_value, 0.7f);
}

TEST(ComputeGainLoss, IsTheMeanOfTheBranchedStatesAndNothingElse) {
  Batch batch = MakeLossBatch();
  batch.gains = {std::nullopt, core::Transition::Gain{1, -2}};
  std::vector<Values> values(2, Values{.return_gain = 0.5f, .calls_gain = 1});
  std::vector<Values> gradient(2, Values{.disagreement = 0, .calls_gain = 0});

  const double loss = ComputeGainLoss(batch, values, /*calls_weight=*/0.25, gradient);

  EXPECT_NEAR(loss, 0.125 + 0.25 * 2.5, 1e-6);  // Whatever the state's weight.
  EXPECT_FLOAT_EQ(gradient[1].return_gain, -0.5f);
  EXPECT_FLOAT_EQ(gradient[1].calls_gain, 0.25f);
  EXPECT_EQ(gradient[0].return_gain, 0);
  EXPECT_EQ(gradient[1].return_advantage, 0);
  batch.gains = {std::nullopt, std::nullopt};
  EXPECT_EQ(ComputeGainLoss(batch, values, 0.25, gradient), 0);
}

TEST(ComputeConservativeLoss, PullsTheAdvantageToWhatTheRowsDidAndItsGradientIsThatOfTheLoss) {
  Batch batch = MakeLossBatch();  // Costs 0.1 and 0.2.
  batch.contexts[0].remaining = kUnlimited;
  batch.contexts[1].remaining = 0;  // Nothing to choose.
  batch.entries[0].activate = true;
  std::vector<Values> values(2, Values{.return_advantage = 0.5f, .calls_advantage = 2});
  std::vector<Values> gradient(2, Values{.disagreement = 0, .calls_gain = 0});

  const double loss = ComputeConservativeLoss(batch, values, /*strength=*/3, gradient);

  const double q_call = 0.3 / 2, q_quick = -0.3 / 2;  // Up to V: A = 0.5 - 0.1 * 2.
  EXPECT_NEAR(loss, 3 * (std::log(std::exp(q_call) + std::exp(q_quick)) - q_call) / 2, 1e-6);
  EXPECT_LT(gradient[0].return_advantage, 0);
  EXPECT_EQ(gradient[1].return_advantage, 0);
  std::vector<Values> ignored(2);
  auto* numbers = reinterpret_cast<float*>(values.data());
  const auto* slopes = reinterpret_cast<const float*>(gradient.data());
  for (std::size_t i = 0; i < 2 * sizeof(Values) / sizeof(float); ++i) {
    const auto loss_at = [&](float shift) {
      const float before = numbers[i];
      numbers[i] = before + shift;
      const double there = ComputeConservativeLoss(batch, values, 3, ignored);
      numbers[i] = before;
      return there;
    };
    EXPECT_NEAR((loss_at(1e-2f) - loss_at(-1e-2f)) / 2e-2, slopes[i], 1e-4) << i;
  }
}

TEST(ComputeDisagreementLoss, IsTheCrossEntropyOfTheRowsInWhichDeepthinkWasAsked) {
  using enum Batch::Disagreement;
  Batch batch;
  batch.num_states = 4;
  batch.disagreements = {kDisagreed, kAgreed, kUnknown, kDisagreed};
  batch.entries = {{.weight = 1}, {.weight = 0.5f}, {.weight = 1}, {.weight = 1}};
  const std::vector<float> logits = {0, 1, 5, 200};
  std::vector<float> gradient(4, 9.0f);

  const double loss = ComputeDisagreementLoss(batch, logits, gradient);

  EXPECT_NEAR(loss, (std::log(2.0) + 0.5 * std::log1p(std::exp(1.0))) / 4, 1e-6);
  EXPECT_NEAR(gradient[0], -0.5 / 4, 1e-6);
  EXPECT_NEAR(gradient[1], 0.5 / (1 + std::exp(-1.0)) / 4, 1e-6);
  EXPECT_EQ(gradient[2], 0);
  EXPECT_NEAR(gradient[3], 0, 1e-6);  // Sure and right, without overflow.
}

}  // namespace
}  // namespace londi::learner
