#include "launch/former_rows.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace londi::launch {
namespace {

learner::LearnerOptions Options() {
  learner::LearnerOptions options;
  options.batch.batch_size = 10;
  options.rate = {.samples_per_row = 4, .min_rows = 100, .slack = 50};
  return options;
}

TEST(UpdatesFrom, AreAsManyAsTheLimiterAllows) {
  const learner::LearnerOptions options = Options();
  const std::int64_t updates = UpdatesFrom(1100, options);

  EXPECT_EQ(updates, 405);  // (1,000 rows x 4 samples + 50) / 10
  const learner::RateLimiter limiter(options.rate);
  EXPECT_TRUE(limiter.MaySample(1100, (updates - 1) * 10, 10));
  EXPECT_FALSE(limiter.MaySample(1100, updates * 10, 10));
}

TEST(UpdatesFrom, IsOneAtLeast) {
  learner::LearnerOptions options = Options();
  options.rate.slack = 0;
  EXPECT_EQ(UpdatesFrom(3, options), 1);
}

TEST(RequireSameBudgetUnit, RowsOfAnotherUnitOrScaleAreRefused) {
  configs::RunConfig calls, tokens;
  tokens.actor.terms.budget_unit = core::BudgetUnit::kTokens;
  tokens.actor.terms.call_price = 40;
  configs::RunConfig dearer = tokens;
  dearer.actor.terms.call_price = 41;

  EXPECT_NO_THROW(RequireSameBudgetUnit(calls, calls));
  EXPECT_NO_THROW(RequireSameBudgetUnit(tokens, tokens));
  EXPECT_THROW(RequireSameBudgetUnit(calls, tokens), core::ConfigError);
  EXPECT_THROW(RequireSameBudgetUnit(tokens, dearer), core::ConfigError);
}

}  // namespace
}  // namespace londi::launch
