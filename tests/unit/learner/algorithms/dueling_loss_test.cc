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
    batch.horizon_agreed.push_back(0);
  }
  return batch;
}

Bootstrap Choose(const Batch& batch, const std::vector<Values>& successors) {
  std::vector<Bootstrap> out(batch.entries.size());
  ChooseBootstraps(batch, successors, {}, out);
  return out[0];
}

constexpr Values kWantsCall{.return_advantage = 0.1f, .calls_advantage = 1};
constexpr Values kWantsQuick{.return_advantage = -0.1f, .calls_advantage = 1};

TEST(ChooseBootstraps, TakesTheGreedyChoiceAtTheSuccessorsCost) {
  EXPECT_TRUE(Choose(MakeWindow({{0.05f, kUnlimited}}, {0}), {kWantsCall}).choice.activate);
  EXPECT_FALSE(Choose(MakeWindow({{0.15f, kUnlimited}}, {0}), {kWantsCall}).choice.activate);
}

TEST(ChooseBootstraps, MasksWhatTheBudgetForbids) {
  EXPECT_TRUE(Choose(MakeWindow({{0, 1}}, {0}), {kWantsCall}).choice.activate);
  EXPECT_FALSE(Choose(MakeWindow({{0, 0}}, {0}), {kWantsCall}).choice.activate);
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
  EXPECT_FALSE(bootstrap.choice.activate);
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
  constexpr double kCallsWeight = 0.25;
  std::vector<Values> gradient(2), ignored(2);
  std::vector<float> errors(2);
  ComputeLoss(batch, heads, targets, kCallsWeight, gradient, errors);

  auto* values = reinterpret_cast<float*>(heads.data());
  const auto* slopes = reinterpret_cast<const float*>(gradient.data());
  for (std::size_t i = 0; i < kNumFloats; ++i) {
    const auto loss_at = [&](float shift) {
      const float before = values[i];
      values[i] = before + shift;
      const DuelingLoss loss = ComputeLoss(batch, heads, targets, kCallsWeight, ignored, errors);
      values[i] = before;
      return loss.loss_return + kCallsWeight * loss.loss_calls;
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

  const DuelingLoss loss = ComputeLoss(batch, heads, targets, 1, gradient, errors);

  EXPECT_NEAR(loss.loss_return, (1 * 0.125 + 0.5 * 2.5) / 2, 1e-6);
  EXPECT_NEAR(loss.loss_calls, 0.5 * 0.5 / 2, 1e-6);
}

TEST(ComputeLoss, AStatesErrorIsTheLargerOfItsChoicesWithTheCostOfCalls) {
  const Batch batch = MakeLossBatch();
  const std::vector<Values> heads(2);
  const std::vector<Target> targets = {{0.5f, 2}, {3, 1}, {-0.2f, 1}};
  std::vector<Values> gradient(2);
  std::vector<float> errors(2);

  ComputeLoss(batch, heads, targets, 1, gradient, errors);

  EXPECT_FLOAT_EQ(errors[0], 0.5f + 0.1f * 2);
  EXPECT_FLOAT_EQ(errors[1], 3 + 0.2f * 1);
}

TEST(ComputeLoss, ANaNReachesTheCallerAsAnError) {
  const Batch batch = MakeLossBatch();
  const std::vector<Values> heads(2);
  const std::vector<Target> targets = {{kNaN, 0}, {0, 0}, {1, 1}};
  std::vector<Values> gradient(2);
  std::vector<float> errors(2);

  ComputeLoss(batch, heads, targets, 1, gradient, errors);

  EXPECT_TRUE(std::isnan(errors[0]));
  EXPECT_EQ(errors[1], 0);
}

// Plans 0 (never calls), 4 (calls where d > 0.4) and the last one (always calls).
constexpr std::size_t kNever = 0, kMiddle = 4, kAlways = kNumPlans - 1;

// What the plans learn from one row with reward 1 at each of three steps (discount 0.5), whose
// recorded choices are `activated`; d of the row and its three successors is `disagreement`, and
// `agreed` whether the LMs are known to have agreed at these.
PlanTargets TargetsOf(const std::vector<std::uint8_t>& activated,
                      const std::vector<float>& disagreement,
                      Context context = {0.1f, kUnlimited},
                      Batch::Disagreement answer = Batch::Disagreement::kUnknown,
                      const std::vector<std::uint8_t>& agreed = {0, 0, 0}) {
  Batch batch = MakeWindow({context, context, context}, {activated[1], activated[2], activated[3]});
  batch.contexts[0] = context;
  batch.entries[0].activate = activated[0] != 0;
  batch.disagreements = {answer};
  batch.horizon_agreed = agreed;
  std::vector<Values> states(1), successors(3);
  states[0].disagreement = disagreement[0];
  float reward = 0, calls = 0, discount = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    reward += discount;
    calls += discount * activated[i];
    discount *= 0.5f;
    batch.horizons[i] = {.reward = reward, .calls = calls, .discount = discount};
    successors[i].disagreement = disagreement[i + 1];
    successors[i].plan_return.fill(8);
    successors[i].plan_calls.fill(4);
  }
  std::vector<PlanTargets> out(1);
  MakePlanTargets(batch, states, successors, out);
  return out[0];
}

TEST(MakePlanTargets, FollowTheRowsForAsLongAsThePlanWouldHaveDoneTheSame) {
  const PlanTargets learned = TargetsOf({1, 1, 0, 0}, {0.9f, 0.5f, 0.1f, 0.9f});

  ASSERT_TRUE(learned.known[kMiddle]);  // Did as the row did, three times.
  EXPECT_FLOAT_EQ(learned.targets[kMiddle].return_value, 1.75f + 0.125f * 8);
  EXPECT_FLOAT_EQ(learned.targets[kMiddle].calls_value, 1.5f + 0.125f * 4);
  ASSERT_TRUE(learned.known[kAlways]);  // Would have called at the third.
  EXPECT_FLOAT_EQ(learned.targets[kAlways].return_value, 1.5f + 0.25f * 8);
  EXPECT_FLOAT_EQ(learned.targets[kAlways].calls_value, 1.5f + 0.25f * 4);
  EXPECT_FALSE(learned.known[kNever]);
}

TEST(MakePlanTargets, APlanStopsCallingWhenTheBudgetIsSpent) {
  const PlanTargets learned = TargetsOf({0, 0, 0, 0}, {0.9f, 0.9f, 0.9f, 0.9f}, {0.1f, 0});

  ASSERT_TRUE(learned.known[kAlways]);
  EXPECT_FLOAT_EQ(learned.targets[kAlways].return_value, 1.75f + 0.125f * 8);
}

TEST(MakePlanTargets, WhereTheLmsAgreedTheOtherChoiceOnlyCostsACallMoreOrLess) {
  using enum Batch::Disagreement;
  const std::vector<float> agreed = {0.1f, 0.9f, 0.9f, 0.9f};

  const PlanTargets learned = TargetsOf({1, 1, 1, 1}, agreed, {0.1f, kUnlimited}, kAgreed);

  ASSERT_TRUE(learned.known[kMiddle]);
  EXPECT_FLOAT_EQ(learned.targets[kMiddle].return_value, 1.75f + 0.125f * 8);
  EXPECT_FLOAT_EQ(learned.targets[kMiddle].calls_value, 0.75f + 0.125f * 4);
  // Under a budget it leads elsewhere: to a state with one call more.
  EXPECT_FALSE(TargetsOf({1, 1, 1, 1}, agreed, {0.1f, 3}, kAgreed).known[kMiddle]);
  EXPECT_FALSE(TargetsOf({1, 1, 1, 1}, agreed, {0.1f, kUnlimited}, kDisagreed).known[kMiddle]);
}

TEST(MakePlanTargets, FollowTheRowsPastOtherChoicesWhereTheLmsAgreed) {
  using enum Batch::Disagreement;
  const std::vector<float> d = {0.1f, 0.1f, 0.9f, 0.1f};
  const auto learn = [&](std::vector<std::uint8_t> agreed, std::int32_t remaining = kUnlimited) {
    return TargetsOf({0, 1, 0, 0}, d, {0.1f, remaining}, kUnknown, agreed);
  };

  // It would not have called in the second row and would have called in the third.
  const PlanTargets past = learn({1, 1, 0});
  EXPECT_FLOAT_EQ(past.targets[kMiddle].return_value, 1.75f + 0.125f * 8);
  EXPECT_FLOAT_EQ(past.targets[kMiddle].calls_value, 0.25f + 0.125f * 4);
  // The LMs did not agree in the third row.
  const PlanTargets one = learn({1, 0, 0});
  EXPECT_FLOAT_EQ(one.targets[kMiddle].return_value, 1.5f + 0.25f * 8);
  EXPECT_FLOAT_EQ(one.targets[kMiddle].calls_value, 0.25f * 4);
  // Nor in the second; under a budget it would have led to one call more.
  for (const PlanTargets& none : {learn({0, 1, 0}), learn({1, 1, 1}, 5)}) {
    EXPECT_FLOAT_EQ(none.targets[kMiddle].return_value, 1 + 0.5f * 8);
    EXPECT_FLOAT_EQ(none.targets[kMiddle].calls_value, 0.5f * 4);
  }
}

TEST(ComputePlanLoss, ItsGradientIsThatOfTheLossAndOfTheKnownPlansOnly) {
  const Batch batch = MakeLossBatch();
  std::vector<PlanTargets> targets(2);
  targets[0].known[1] = targets[0].known[3] = targets[1].known[0] = true;
  targets[0].targets[1] = {0.5f, 2};
  targets[0].targets[3] = {-0.3f, 0.1f};
  targets[1].targets[0] = {3, -0.4f};
  targets[1].targets[5] = {9, 9};  // Not known.
  std::vector<Values> values(2), gradient(2, Values{.disagreement = 0, .calls_gain = 0}),
      ignored(2);
  constexpr double kCallsWeight = 0.25;

  const double loss = ComputePlanLoss(batch, values, targets, kCallsWeight, gradient);

  // Weights 1 and 0.5, two states; the first one's loss is a mean of two plans.
  const double first = 0.125 + 0.25 * 1.5 + 0.045 + 0.25 * 0.005;
  EXPECT_NEAR(loss, (first / 2 + 0.5 * (2.5 + 0.25 * 0.08)) / 2, 1e-6);
  auto* numbers = reinterpret_cast<float*>(values.data());
  const auto* slopes = reinterpret_cast<const float*>(gradient.data());
  for (std::size_t i = 0; i < 2 * sizeof(Values) / sizeof(float); ++i) {
    const auto loss_at = [&](float value) {
      const float before = numbers[i];
      numbers[i] = before + value;
      const double there = ComputePlanLoss(batch, values, targets, kCallsWeight, ignored);
      numbers[i] = before;
      return there;
    };
    EXPECT_NEAR((loss_at(1e-2f) - loss_at(-1e-2f)) / 2e-2, slopes[i], 1e-4) << i;
  }
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
