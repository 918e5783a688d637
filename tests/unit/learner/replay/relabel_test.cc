#include "learner/replay/relabel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/budget.h"
#include "core/error.h"
#include "core/switcher.h"

namespace londi::learner {
namespace {

constexpr std::int32_t kUnlimited = core::BudgetGovernor::kUnlimited;

TEST(Relabel, DrawsCostsAndBudgetsAsConfigured) {
  const RelabelOptions options{.keep = 0,
                               .zero_cost = 0.1,
                               .min_cost = 0.01,
                               .max_cost = 0.3,
                               .max_budget = 4,
                               .unlimited = 0.25};
  Random random(1);
  std::map<std::int32_t, int> budgets;
  int zeros = 0, below_geometric_mean = 0;
  constexpr int kDraws = 100'000;

  for (int i = 0; i < kDraws; ++i) {
    const Context drawn = Relabel(options, {0.5f, 9}, 0, 20, random);
    ++budgets[drawn.remaining];
    zeros += drawn.cost == 0;
    ASSERT_TRUE(drawn.cost == 0 || (drawn.cost >= 0.0099f && drawn.cost <= 0.3001f));
    below_geometric_mean += drawn.cost > 0 && drawn.cost < 0.0547723f;
  }

  EXPECT_NEAR(zeros, kDraws * 0.1, kDraws * 0.01);
  EXPECT_NEAR(
      below_geometric_mean, kDraws * 0.45, kDraws * 0.01);  // Half of the others: log-uniform.
  EXPECT_NEAR(budgets[kUnlimited], kDraws * 0.25, kDraws * 0.01);
  for (int z = 0; z <= 4; ++z) EXPECT_NEAR(budgets[z], kDraws * 0.15, kDraws * 0.01) << z;
}

TEST(Relabel, DrawsWhatTypicalCallsCostWhereBudgetsCountSomethingElse) {
  const RelabelOptions options{.keep = 0, .max_budget = 4, .unlimited = 0, .ticks_per_call = 50};
  Random random(4);
  std::int32_t least = 1000, most = 0;

  for (int i = 0; i < 20'000; ++i) {
    const Context drawn = Relabel(options, {}, 37, 20, random);
    least = std::min(least, drawn.remaining);
    most = std::max(most, drawn.remaining);
  }

  EXPECT_EQ(least, 37);  // The price of what the row did.
  EXPECT_EQ(most, 200);
  for (int i = 0; i < 1000; ++i) ASSERT_LE(Relabel(options, {}, 37, 3, random).remaining, 100);
  EXPECT_EQ(Relabel(options, {}, 201, 20, random).remaining, kUnlimited);
}

TEST(Spend, TakesThePriceAndNeverMoreThanThereIs) {
  EXPECT_EQ(Spend(100, 30), 70);
  EXPECT_EQ(Spend(20, 30), 0);
  EXPECT_EQ(Spend(kUnlimited, 30), kUnlimited);
  EXPECT_TRUE(Affords(30, 30));
  EXPECT_FALSE(Affords(29, 30));
  EXPECT_TRUE(Affords(kUnlimited, 1 << 30));
}

TEST(Relabel, NeverDrawsABudgetThatTheRowCouldNotHaveAfforded) {
  const RelabelOptions options{.keep = 0, .max_budget = 5, .unlimited = 0};
  Random random(2);

  for (int i = 0; i < 1000; ++i) {
    const Context drawn = Relabel(options, {}, 3, 20, random);
    ASSERT_GE(drawn.remaining, 3);
    ASSERT_LE(drawn.remaining, 5);
  }
}

TEST(Relabel, TreatsABudgetOfAllStepsLeftAsUnlimited) {
  const RelabelOptions options{.keep = 0, .max_budget = 9, .unlimited = 0};
  Random random(3);

  for (int i = 0; i < 1000; ++i) ASSERT_LE(Relabel(options, {}, 0, 4, random).remaining, 3);
  EXPECT_EQ(Relabel(options, {}, 1, 1, random).remaining, kUnlimited);
}

TEST(Relabel, KeepsTheRecordedContextWhenSwitchedOff) {
  Random random(4);

  const Context kept = Relabel({.enabled = false}, {0.07f, 2}, 1, 20, random);

  EXPECT_FLOAT_EQ(kept.cost, 0.07f);
  EXPECT_EQ(kept.remaining, 2);
}

TEST(MayActivate, ForbidsOnlyTheEmptyBudget) {
  EXPECT_FALSE(MayActivate(0));
  EXPECT_TRUE(MayActivate(1));
  EXPECT_TRUE(MayActivate(kUnlimited));
  EXPECT_EQ(Spend(3, 2), 1);
  EXPECT_EQ(Spend(kUnlimited, 2), kUnlimited);
}

// Budgets of milliseconds: the governor reserves the longest call that may be.
TEST(MayActivate, ForbidsABudgetBelowWhatTheGovernorReserves) {
  EXPECT_FALSE(MayActivate(49, 50));
  EXPECT_TRUE(MayActivate(50, 50));
  EXPECT_TRUE(MayActivate(kUnlimited, 50));
}

TEST(RelabelOptions, RefuseWhatCannotBeDrawn) {
  EXPECT_THROW((RelabelOptions{.keep = 1.5}.Validate()), core::ConfigError);
  EXPECT_THROW((RelabelOptions{.min_cost = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((RelabelOptions{.min_cost = 0.4, .max_cost = 0.3}.Validate()), core::ConfigError);
  EXPECT_THROW((RelabelOptions{.max_budget = -1}.Validate()), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
