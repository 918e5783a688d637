#include "inference/batching_policy.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"

namespace londi::inference {
namespace {

using std::chrono::microseconds;

constexpr BatchingOptions kOptions{
    .max_requests = 4, .max_tokens = 100, .max_wait = microseconds(500), .max_queued_tokens = 1000};
constexpr core::TimePoint kStart{std::chrono::seconds(5)};

TEST(ShouldFlush, NeverWithAnEmptyQueue) {
  EXPECT_FALSE(ShouldFlush(kOptions, {.oldest_since = {}}, kStart));
}

TEST(ShouldFlush, WhenRequestsTokensOrPatienceAreFull) {
  const auto should_flush = [](std::int64_t requests, std::int64_t tokens, microseconds waited) {
    return ShouldFlush(kOptions,
                       {.requests = requests, .tokens = tokens, .oldest_since = kStart},
                       kStart + waited);
  };

  EXPECT_FALSE(should_flush(3, 99, microseconds(499)));
  EXPECT_TRUE(should_flush(4, 99, microseconds(0)));
  EXPECT_TRUE(should_flush(1, 100, microseconds(0)));
  EXPECT_TRUE(should_flush(1, 1, microseconds(500)));
}

TEST(ShouldFlush, AtOnceWithoutAWait) {
  EXPECT_TRUE(ShouldFlush({}, {.requests = 1, .tokens = 1, .oldest_since = kStart}, kStart));
}

TEST(FlushTime, IsWhenShouldFlushTurnsTrue) {
  const QueueState queue{.requests = 1, .tokens = 1, .oldest_since = kStart};
  const core::TimePoint at = FlushTime(kOptions, queue, core::TimePoint::max());

  EXPECT_FALSE(ShouldFlush(kOptions, queue, at - core::Duration(1)));
  EXPECT_TRUE(ShouldFlush(kOptions, queue, at));
  EXPECT_EQ(FlushTime(kOptions, {.oldest_since = kStart}, core::TimePoint::max()),
            core::TimePoint::max());
}

TEST(BatchSize, TakesAsManyFromTheFrontAsFitAndAtLeastOne) {
  const auto size = [](std::vector<std::int64_t> tokens) { return BatchSize(kOptions, tokens); };

  EXPECT_EQ(size({}), 0u);
  EXPECT_EQ(size({30, 30, 40}), 3u);
  EXPECT_EQ(size({30, 30, 41}), 2u);  // 101 tokens would be too many.
  EXPECT_EQ(size({500, 1}), 1u);      // Larger than any batch: alone.
  EXPECT_EQ(size({1, 500, 1}), 1u);   // Not overtaken.
  EXPECT_EQ(size({1, 1, 1, 1, 1}), 4u);
}

TEST(Admits, UntilTheQueueIsFullAndAlwaysWhenItIsEmpty) {
  const QueueState queue{.requests = 3, .tokens = 900, .oldest_since = kStart};

  EXPECT_TRUE(Admits(kOptions, queue, 100));
  EXPECT_FALSE(Admits(kOptions, queue, 101));
  EXPECT_TRUE(Admits(kOptions, {.oldest_since = kStart}, 5000));
}

TEST(BatchingOptions, RefuseWhatCannotWork) {
  EXPECT_NO_THROW(BatchingOptions{}.Validate());
  EXPECT_THROW((BatchingOptions{.max_requests = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((BatchingOptions{.max_tokens = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((BatchingOptions{.max_wait = microseconds(-1)}.Validate()), core::ConfigError);
  EXPECT_THROW((BatchingOptions{.max_queued_tokens = 0}.Validate()), core::ConfigError);
}

}  // namespace
}  // namespace londi::inference
