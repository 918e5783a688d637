#include "actors/training_terms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/budget.h"
#include "tests/support/refuses.h"

namespace londi::actors {
namespace {

TEST(DrawTerms, FollowsItsShares) {
  const TermsOptions options{
      .zero_cost = 0.1, .min_cost = 0.01, .max_cost = 0.3, .max_budget = 4, .unlimited = 0.25};
  Random random(1);
  std::map<std::int32_t, int> budgets;
  int zeros = 0, below_geometric_mean = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const EpisodeTerms terms = DrawTerms(options, random);
    ++budgets[terms.budget];
    zeros += terms.cost == 0;
    below_geometric_mean += terms.cost > 0 && terms.cost < std::sqrt(0.01f * 0.3f);
    ASSERT_TRUE(terms.cost == 0 || (terms.cost >= 0.0099f && terms.cost <= 0.3001f));
  }

  EXPECT_EQ(budgets.size(), 6u);
  EXPECT_NEAR(zeros, kDraws * 0.1, kDraws * 0.01);
  EXPECT_NEAR(below_geometric_mean, kDraws * 0.45, kDraws * 0.01);  // Log-uniform.
  EXPECT_NEAR(budgets[core::BudgetGovernor::kUnlimited], kDraws * 0.25, kDraws * 0.01);
  for (int b = 0; b <= 4; ++b) EXPECT_NEAR(budgets[b], kDraws * 0.15, kDraws * 0.01) << b;
}

TEST(DrawTerms, WhereBudgetsCountTokensTheyAreOfSoManyTypicalCalls) {
  const TermsOptions options{
      .max_budget = 4, .unlimited = 0, .budget_unit = core::BudgetUnit::kTokens, .call_price = 50};
  Random random(2);
  std::int32_t least = 1000, most = 0;
  for (int i = 0; i < 20'000; ++i) {
    const EpisodeTerms terms = DrawTerms(options, random);
    EXPECT_EQ(terms.meter.unit(), core::BudgetUnit::kTokens);
    least = std::min(least, terms.budget);
    most = std::max(most, terms.budget);
  }
  EXPECT_EQ(least, 0);
  EXPECT_EQ(most, 200);
}

TEST(TermsOptions, ThePriceOfACallBelongsToUnitsInWhichCallsDiffer) {
  const auto refused = testing::Refuses<TermsOptions>;
  EXPECT_FALSE(refused([](TermsOptions& o) {
    o.budget_unit = core::BudgetUnit::kGflops;
    o.call_price = 0.01;
  }));
  EXPECT_TRUE(refused([](TermsOptions& o) { o.budget_unit = core::BudgetUnit::kTokens; }));
  EXPECT_TRUE(refused([](TermsOptions& o) { o.call_price = 3; }));
  const auto milliseconds = [&](double worst_call) {
    return refused([&](TermsOptions& o) {
      o.budget_unit = core::BudgetUnit::kMilliseconds;
      o.call_price = 2;
      o.worst_call = worst_call;
    });
  };
  EXPECT_FALSE(milliseconds(20));
  EXPECT_TRUE(milliseconds(0));
  EXPECT_TRUE(milliseconds(1.9));
  EXPECT_TRUE(milliseconds(1e9));
  EXPECT_TRUE(refused([](TermsOptions& o) { o.worst_call = 3; }));
  EXPECT_TRUE(refused([](TermsOptions& o) {
    o.budget_unit = core::BudgetUnit::kTokens;
    o.call_price = 1e9;
  }));
}

}  // namespace
}  // namespace londi::actors
