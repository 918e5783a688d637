#include "core/switcher_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace londi::core::switcher_network {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kMargin = 0.1f;
constexpr PlanRule kNoPlans{};
constexpr int kNever = 0, kMiddle = 4, kAlways = kNumPlans - 1;  // kMiddle calls where d > 0.4.

// A state in which the LMs disagree with probability 0.5 and `plan` brings 1, the others nothing.
Values BestPlan(int plan, float advantage = 0) {
  Values values{.return_advantage = advantage, .disagreement = 0.5f};
  values.plan_return[static_cast<std::size_t>(plan)] = 1;
  return values;
}

GreedyChoice Choose(const Values& values, float cost = 0, PlanRule rule = {.margin = kMargin}) {
  return ChooseGreedily(values, cost, /*may_activate=*/true, rule);
}

TEST(Values, SplitTheAdvantageEvenlyBetweenTheChoices) {
  const Values values{
      .return_value = 2, .return_advantage = 1, .calls_value = 5, .calls_advantage = -2};

  EXPECT_FLOAT_EQ(values.Return(true), 2.5f);
  EXPECT_FLOAT_EQ(values.Return(false), 1.5f);
  EXPECT_FLOAT_EQ(values.Calls(true), 4);
  EXPECT_FLOAT_EQ(values.Calls(false), 6);
  EXPECT_FLOAT_EQ(values.Advantage(0.5f), 2);
}

TEST(ChooseGreedily, WithoutPlansAnAdvantageDecidesAndATieOrANaNStaysWithQuick) {
  const auto activates = [](float return_advantage, float calls_advantage, float cost) {
    return Choose({.return_advantage = return_advantage, .calls_advantage = calls_advantage},
                  cost,
                  kNoPlans)
        .activate;
  };

  EXPECT_TRUE(activates(0.5f, 4, 0.1f));
  EXPECT_FALSE(activates(0.5f, 5, 0.1f));
  EXPECT_FALSE(activates(kNaN, 1, 0));
  EXPECT_FALSE(activates(1, kNaN, 0.1f));
  EXPECT_FALSE(
      ChooseGreedily({.return_advantage = 1}, 0, /*may_activate=*/false, kNoPlans).activate);
  EXPECT_EQ(Choose(BestPlan(kAlways, -1), 0, kNoPlans).plan, GreedyChoice::kCritics);
}

TEST(ChooseGreedily, FollowsTheBestPlanAtThisCost) {
  EXPECT_FALSE(Choose(BestPlan(kNever)).activate);
  EXPECT_TRUE(Choose(BestPlan(kMiddle)).activate);
  EXPECT_TRUE(Choose(BestPlan(kAlways)).activate);
  EXPECT_EQ(Choose(BestPlan(kMiddle)).plan, kMiddle);

  Values values = BestPlan(kMiddle);
  values.disagreement = 0.4f;
  EXPECT_FALSE(Choose(values).activate);

  values = BestPlan(kAlways);
  values.plan_calls[kAlways] = 20;
  EXPECT_TRUE(Choose(values, 0.04f).activate);
  EXPECT_FALSE(Choose(values, 0.06f).activate);  // Nothing is better than a loss.
}

// kAlways is worth 1 with 20 calls, kMiddle nearly as much with 5, and kNever nothing.
TEST(ChooseGreedily, OfPlansThatAreWorthNearlyTheSameTheOneWithTheFewestCallsIsFollowed) {
  Values values = BestPlan(kAlways);
  values.plan_calls[kAlways] = 20;
  values.plan_return[kMiddle] = 0.97f;
  values.plan_calls[kMiddle] = 5;
  const auto followed = [&](float tolerance, float cost = 0) {
    return Choose(values, cost, {.margin = kMargin, .tolerance = tolerance}).plan;
  };

  EXPECT_EQ(followed(0), kAlways);
  EXPECT_EQ(followed(0.02f), kAlways);
  EXPECT_EQ(followed(0.04f), kMiddle);
  EXPECT_EQ(followed(0.02f, 0.001f), kMiddle);  // 0.98 and 0.965.
  EXPECT_EQ(Choose(values, 0, {.margin = kMargin, .tolerance = 2}).activate, false);  // kNever.

  values.plan_return[kMiddle] = kNaN;
  EXPECT_EQ(followed(0.04f), kAlways);
}

TEST(ChooseGreedily, DeviatesFromThePlanWhereTheCriticsSeeMoreThanTheMarginInIt) {
  EXPECT_FALSE(Choose(BestPlan(kNever, 0.09f)).activate);
  EXPECT_TRUE(Choose(BestPlan(kNever, 0.11f)).activate);
  EXPECT_TRUE(Choose(BestPlan(kAlways, -0.09f)).activate);
  EXPECT_FALSE(Choose(BestPlan(kAlways, -0.11f)).activate);
  EXPECT_EQ(Choose(BestPlan(kAlways, -0.11f)).plan, GreedyChoice::kCritics);
}

TEST(ChooseGreedily, TheBetterOfPlanAndCriticsSaysWhatTheSameChoiceIsWorth) {
  Values values = BestPlan(kAlways, 0.01f);
  EXPECT_EQ(Choose(values).plan, kAlways);
  values.return_advantage = 2 * kMargin;  // The critics agree with the plan, strongly.
  EXPECT_EQ(Choose(values).plan, kAlways);
  values.return_value = 2;
  EXPECT_TRUE(Choose(values).activate);
  EXPECT_EQ(Choose(values).plan, GreedyChoice::kCritics);
}

TEST(ChooseGreedily, NothingActivatesWhereTheBudgetIsSpent) {
  for (const float advantage : {0.0f, 5.0f}) {
    EXPECT_FALSE(
        ChooseGreedily(BestPlan(kAlways, advantage), 0, /*may_activate=*/false, {.margin = kMargin})
            .activate);
  }
}

TEST(ChooseGreedily, NothingActivatesBeforeAnyTraining) {
  EXPECT_FALSE(Choose({.calls_advantage = 1, .disagreement = 0.5f}).activate);
}

TEST(ChooseGreedily, ANaNActivatesNothing) {
  Values values{.return_advantage = kNaN, .disagreement = kNaN};
  values.plan_return.fill(kNaN);
  EXPECT_FALSE(Choose(values).activate);
  values.plan_return.fill(0);
  values.plan_return[kMiddle] = 1;
  EXPECT_FALSE(Choose(values).activate);  // d is the NaN.
}

TEST(MemoryStart, BeginsAnewOncePerWindowAndKnowsAtLeastOne) {
  for (const int window : {1, 3, 32}) {
    for (int step = 0; step < 5 * window; ++step) {
      const int start = MemoryStart(step, window), before = step - start;
      EXPECT_EQ(start % window, 0);
      EXPECT_GE(before, std::min(step, window));
      EXPECT_LT(before, 2 * window);
    }
  }
  EXPECT_EQ(MemoryStart(63, 32), 0);
  EXPECT_EQ(MemoryStart(64, 32), 32);
}

}  // namespace
}  // namespace londi::core::switcher_network
