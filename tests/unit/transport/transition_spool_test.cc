#include "transport/transition_spool.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/transport_support.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;

class Spool : public ::testing::Test {
 protected:
  void Push(TransitionSpool& spool, std::int64_t first, std::int64_t count) {
    for (const core::Transition& row : testing::MakeRows(first, count))
      spool.Push(row, clock_.Now());
  }
  // First and last sequence of the next batch, {0, 0}: none.
  std::pair<std::int64_t, std::int64_t> Take(TransitionSpool& spool) {
    const auto batch = spool.TakeNext(clock_.Now());
    if (!batch) return {0, 0};
    return {batch->rows.front().sequence.value, batch->last().value};
  }
  using Range = std::pair<std::int64_t, std::int64_t>;

  testing::FakeClock clock_;
  const SpoolOptions options_{.max_rows = 20,
                              .flush_rows = 4,
                              .flush_bytes = 1 << 20,
                              .flush_after = milliseconds(50),
                              .joined = 1};
};

TEST_F(Spool, SendsNothingBeforeItHasCredits) {
  TransitionSpool spool(options_);
  Push(spool, 1, 8);

  EXPECT_EQ(Take(spool), Range(0, 0));
  spool.OnAck(core::Sequence(0), 100);
  EXPECT_EQ(Take(spool), Range(1, 4));
  EXPECT_EQ(Take(spool), Range(5, 8));
  EXPECT_EQ(Take(spool), Range(0, 0));
}

TEST_F(Spool, FlushesByRowsBytesOrAge) {
  TransitionSpool by_rows(options_);
  by_rows.OnAck(core::Sequence(0), 100);
  Push(by_rows, 1, 3);
  EXPECT_EQ(Take(by_rows), Range(0, 0));
  Push(by_rows, 4, 1);
  EXPECT_EQ(Take(by_rows), Range(1, 4));

  TransitionSpool by_bytes({.max_rows = 20, .flush_rows = 4, .flush_bytes = 150});
  by_bytes.OnAck(core::Sequence(0), 100);
  Push(by_bytes, 1, 2);  // 92 bytes each.
  EXPECT_EQ(Take(by_bytes), Range(1, 2));

  TransitionSpool by_age(options_);
  by_age.OnAck(core::Sequence(0), 100);
  Push(by_age, 1, 1);
  clock_.Advance(milliseconds(49));
  Push(by_age, 2, 1);
  EXPECT_EQ(Take(by_age), Range(0, 0));
  EXPECT_EQ(by_age.NextFlush(), clock_.Now() + milliseconds(1));
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Take(by_age), Range(1, 2));
  EXPECT_EQ(by_age.NextFlush(), std::nullopt);
}

TEST_F(Spool, BatchesThatHadToWaitLeaveTogetherAsFarAsCreditsGo) {
  SpoolOptions options = options_;
  options.joined = 2;
  TransitionSpool spool(options);
  Push(spool, 1, 20);
  spool.OnAck(core::Sequence(0), 16);

  EXPECT_EQ(Take(spool), Range(1, 8)) << "two of four rows, as allowed";
  EXPECT_EQ(Take(spool), Range(9, 16));
  EXPECT_EQ(Take(spool), Range(0, 0));
  spool.OnAck(core::Sequence(8), 9);
  EXPECT_EQ(Take(spool), Range(17, 20));
  EXPECT_EQ(Take(spool), Range(0, 0));

  spool.Rewind(core::Sequence(8));
  EXPECT_EQ(Take(spool), Range(9, 16));
  spool.OnAck(core::Sequence(20), 9);
  EXPECT_EQ(spool.unacknowledged(), 0);
  EXPECT_FALSE(spool.HasUnsent());
}

TEST_F(Spool, NoBatchIsJoinedThatHasNoCreditsItself) {
  SpoolOptions options = options_;
  options.joined = 4;
  TransitionSpool spool(options);
  Push(spool, 1, 16);
  spool.OnAck(core::Sequence(0), 8);

  EXPECT_EQ(Take(spool), Range(1, 8));
  EXPECT_EQ(Take(spool), Range(0, 0));
}

TEST_F(Spool, BatchesAreJoinedUpToSoManyBytes) {
  TransitionSpool spool(
      {.max_rows = 20, .flush_rows = 4, .flush_bytes = 150, .joined = 2});  // 92 bytes a row.
  Push(spool, 1, 6);
  spool.OnAck(core::Sequence(0), 100);

  EXPECT_EQ(Take(spool), Range(1, 2));
  EXPECT_EQ(Take(spool), Range(3, 4));
}

TEST_F(Spool, StopsWhenTheCreditsAreUsedUp) {
  TransitionSpool spool(options_);
  Push(spool, 1, 16);
  spool.OnAck(core::Sequence(0), 6);

  EXPECT_EQ(Take(spool), Range(1, 4));
  EXPECT_EQ(Take(spool), Range(5, 8));  // Its first row is within the credits.
  EXPECT_EQ(Take(spool), Range(0, 0));
  spool.OnAck(core::Sequence(4), 6);
  EXPECT_EQ(Take(spool), Range(9, 12));
  spool.OnAck(core::Sequence(12), 0);  // Paused.
  EXPECT_EQ(Take(spool), Range(0, 0));
}

TEST_F(Spool, IsFullUntilRowsAreAcknowledged) {
  TransitionSpool spool(options_);
  Push(spool, 1, 20);
  EXPECT_TRUE(spool.IsFull());

  spool.OnAck(core::Sequence(1), 100);
  EXPECT_FALSE(spool.IsFull());
  EXPECT_EQ(spool.unacknowledged(), 19);
}

TEST_F(Spool, SendsAgainFromWhereTheReceiverIs) {
  TransitionSpool spool(options_);
  Push(spool, 1, 12);
  spool.OnAck(core::Sequence(0), 100);
  while (spool.TakeNext(clock_.Now())) {
  }
  EXPECT_EQ(spool.last_sent(), core::Sequence(12));

  spool.Rewind(core::Sequence(6));  // The batch 5..8 was seen in part.

  EXPECT_EQ(spool.last_sent(), core::Sequence(4));
  EXPECT_EQ(Take(spool), Range(5, 8));
  EXPECT_EQ(Take(spool), Range(9, 12));
}

TEST_F(Spool, AcksOfTheMiddleOfABatchKeepIt) {
  TransitionSpool spool(options_);
  Push(spool, 1, 8);
  spool.OnAck(core::Sequence(0), 100);
  EXPECT_EQ(Take(spool), Range(1, 4));
  EXPECT_EQ(Take(spool), Range(5, 8));

  spool.OnAck(core::Sequence(6), 100);
  spool.Rewind(core::Sequence(6));

  EXPECT_EQ(spool.unacknowledged(), 2);
  EXPECT_EQ(Take(spool), Range(5, 8));
}

TEST_F(Spool, IgnoresAcksThatGoBackAndClampsThoseBeyond) {
  TransitionSpool spool(options_);
  Push(spool, 1, 8);
  spool.OnAck(core::Sequence(4), 10);

  spool.OnAck(core::Sequence(2), 0);
  EXPECT_EQ(spool.status().acknowledged, core::Sequence(4));
  EXPECT_EQ(spool.status().credits, 10);
  spool.OnAck(core::Sequence(99), 10);
  EXPECT_EQ(spool.status().acknowledged, core::Sequence(8));
  EXPECT_EQ(spool.unacknowledged(), 0);
}

TEST_F(Spool, RefusesRowsThatDoNotContinueTheStream) {
  TransitionSpool spool(options_);
  Push(spool, 1, 2);
  core::Transition wide = testing::MakeRow(3);
  wide.features.push_back(0);

  EXPECT_THROW(spool.Push(testing::MakeRow(4), clock_.Now()), core::ProtocolError);
  EXPECT_THROW(spool.Push(testing::MakeRow(3, 9), clock_.Now()), core::ProtocolError);
  EXPECT_THROW(spool.Push(wide, clock_.Now()), core::ProtocolError);
  EXPECT_NO_THROW(spool.Push(testing::MakeRow(3), clock_.Now()));
}

TEST_F(Spool, OptionsThatCannotWorkAreRefused) {
  EXPECT_THROW(TransitionSpool({.max_rows = 8, .flush_rows = 9}), core::ConfigError);
  EXPECT_THROW(TransitionSpool({.max_rows = 8, .flush_rows = 0}), core::ConfigError);
  EXPECT_THROW(TransitionSpool({.joined = 0}), core::ConfigError);
  EXPECT_THROW(TransitionSpool({.joined = 129}), core::ConfigError);  // More than 4096 rows.
}

}  // namespace
}  // namespace londi::transport
