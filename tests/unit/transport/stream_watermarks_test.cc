#include "transport/stream_watermarks.h"

#include <gtest/gtest.h>

#include <random>

namespace londi::transport {
namespace {

const StreamId kStream{core::ActorId(1), core::Incarnation(1)};
core::Sequence Seq(std::int64_t n) { return core::Sequence(n); }

TEST(StreamWatermarks, AcceptsConsecutiveBatches) {
  StreamWatermarks marks;

  EXPECT_EQ(marks.Admit(kStream, Seq(1), 10)->fresh, 10);
  EXPECT_EQ(marks.Admit(kStream, Seq(11), 5)->fresh, 5);
  EXPECT_EQ(marks.Received(kStream), Seq(15));
  EXPECT_EQ(marks.Stored(kStream), Seq(0));
}

TEST(StreamWatermarks, DropsWhatItHasSeen) {
  StreamWatermarks marks;
  ASSERT_TRUE(marks.Admit(kStream, Seq(1), 10));

  const auto again = marks.Admit(kStream, Seq(1), 10);
  const auto overlapping = marks.Admit(kStream, Seq(6), 10);

  EXPECT_EQ(again->duplicates, 10);
  EXPECT_EQ(again->fresh, 0);
  EXPECT_EQ(overlapping->duplicates, 5);
  EXPECT_EQ(overlapping->fresh, 5);
}

TEST(StreamWatermarks, IgnoresWhatComesAfterAGap) {
  StreamWatermarks marks;
  ASSERT_TRUE(marks.Admit(kStream, Seq(1), 10));

  EXPECT_FALSE(marks.Admit(kStream, Seq(12), 5));
  EXPECT_EQ(marks.Received(kStream), Seq(10));
}

TEST(StreamWatermarks, KeepsStreamsApart) {
  StreamWatermarks marks;
  const StreamId reborn{core::ActorId(1), core::Incarnation(2)};
  ASSERT_TRUE(marks.Admit(kStream, Seq(1), 10));

  EXPECT_EQ(marks.Admit(reborn, Seq(1), 3)->fresh, 3);
}

TEST(StreamWatermarks, StoredFollowsReceivedAndNeverFallsBack) {
  StreamWatermarks marks;
  ASSERT_TRUE(marks.Admit(kStream, Seq(1), 10));

  marks.MarkStored(kStream, Seq(7));
  marks.MarkStored(kStream, Seq(3));
  EXPECT_EQ(marks.Stored(kStream), Seq(7));
  marks.MarkStored(kStream, Seq(99));
  EXPECT_EQ(marks.Stored(kStream), Seq(10));
}

TEST(StreamWatermarks, RestoreGoesOnBehindTheStoredRows) {
  StreamWatermarks before;
  ASSERT_TRUE(before.Admit(kStream, Seq(1), 10));
  before.MarkStored(kStream, Seq(6));

  StreamWatermarks after;
  after.Restore(before.StoredMarks());

  const auto admission =
      after.Admit(kStream, Seq(5), 6);  // Rows 7..10 were never stored: they are new again.
  EXPECT_EQ(admission->duplicates, 2);
  EXPECT_EQ(admission->fresh, 4);
}

TEST(StreamWatermarks, SkipsRowsThatNobodyHasAnyMore) {
  StreamWatermarks marks;
  ASSERT_TRUE(marks.Admit(kStream, Seq(1), 10));

  EXPECT_EQ(marks.SkipTo(kStream, Seq(11)), 0);
  EXPECT_EQ(marks.SkipTo(kStream, Seq(21)), 10);
  EXPECT_EQ(marks.Stored(kStream), Seq(20));
  EXPECT_EQ(marks.Admit(kStream, Seq(21), 1)->fresh, 1);
}

// However batches are repeated, reordered and lost: every row is accepted once, in order.
TEST(StreamWatermarks, AcceptsEveryRowOnceUnderChaos) {
  std::mt19937 random(3);
  StreamWatermarks marks;
  std::int64_t accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t first =
        1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(accepted + 20));
    const auto admission =
        marks.Admit(kStream, Seq(first), 1 + static_cast<std::int64_t>(random() % 9));
    if (!admission) continue;
    if (admission->fresh > 0) {
      ASSERT_EQ(first + admission->duplicates, accepted + 1);
    }
    accepted += admission->fresh;
    ASSERT_EQ(marks.Received(kStream), Seq(accepted));
  }
}

}  // namespace
}  // namespace londi::transport
