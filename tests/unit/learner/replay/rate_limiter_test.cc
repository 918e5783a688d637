#include "learner/replay/rate_limiter.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace londi::learner {
namespace {

constexpr RateLimiterOptions kOptions{.samples_per_row = 4, .min_rows = 100, .slack = 80};

TEST(RateLimiter, SamplesNothingBeforeEnoughRowsAreThere) {
  const RateLimiter limiter(kOptions);

  EXPECT_FALSE(limiter.MaySample(99, 0, 32));
  EXPECT_TRUE(limiter.MaySample(100, 0, 32));  // lead 0
}

TEST(RateLimiter, SamplingRunsAheadByTheSlackOnly) {
  const RateLimiter limiter(kOptions);

  EXPECT_TRUE(limiter.MaySample(100, 48, 32));   // lead -48, afterwards -80
  EXPECT_FALSE(limiter.MaySample(100, 49, 32));  // afterwards -81
  EXPECT_TRUE(limiter.MaySample(101, 52, 32));   // a row more is worth 4 samples
}

TEST(RateLimiter, WantsRowsUntilTheSlackIsUsedUp) {
  const RateLimiter limiter(kOptions);

  EXPECT_EQ(limiter.RowsWanted(0, 0), 120);   // 100 before sampling begins and 80 / 4 ahead of it
  EXPECT_EQ(limiter.RowsWanted(100, 0), 20);  // lead 0
  EXPECT_EQ(limiter.RowsWanted(120, 0), 0);   // lead 80
  EXPECT_EQ(limiter.RowsWanted(120, 32), 8);  // an update later
  EXPECT_EQ(limiter.RowsWanted(500, 0), 0);
}

TEST(RateLimiter, KnowsWhatIsSampledWhereNobodyIsAhead) {
  const RateLimiter limiter(kOptions);

  EXPECT_EQ(limiter.SampledInStep(99), 0);
  EXPECT_EQ(limiter.SampledInStep(120), 80);
  EXPECT_EQ(limiter.RowsWanted(120, limiter.SampledInStep(120)), 20);
}

TEST(RateLimiter, OneSideCanAlwaysGoOn) {
  for (const double spr : {0.25, 1.0, 7.5, 64.0}) {
    const RateLimiterOptions options{.samples_per_row = spr, .min_rows = 10, .slack = 64};
    options.Validate(64);
    const RateLimiter limiter(options);
    std::int64_t inserted = 0, sampled = 0;
    for (int i = 0; i < 20000; ++i) {
      const bool may_sample = limiter.MaySample(inserted, sampled, 64);
      const std::int64_t wanted = limiter.RowsWanted(inserted, sampled);
      ASSERT_TRUE(may_sample || wanted > 0) << spr << " " << inserted << " " << sampled;
      if (may_sample && (wanted == 0 || i % 2 == 0)) {
        sampled += 64;
      } else {
        ++inserted;
      }
    }
    EXPECT_NEAR(
        static_cast<double>(sampled) / static_cast<double>(inserted - 10), spr, 0.1 * spr + 0.2);
  }
}

TEST(RateLimiterOptions, RefuseASlackThatWouldDeadlock) {
  EXPECT_THROW((RateLimiterOptions{.samples_per_row = 4, .min_rows = 1, .slack = 63}.Validate(64)),
               core::ConfigError);
  EXPECT_THROW(
      (RateLimiterOptions{.samples_per_row = 100, .min_rows = 1, .slack = 99}.Validate(64)),
      core::ConfigError);
  EXPECT_THROW((RateLimiterOptions{.samples_per_row = 0}.Validate(64)), core::ConfigError);
  EXPECT_THROW((RateLimiterOptions{.min_rows = 0}.Validate(64)), core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
