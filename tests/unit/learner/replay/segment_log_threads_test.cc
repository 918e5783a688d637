#include <gtest/gtest.h>

#include <chrono>

#include "learner/replay/segment_log.h"
#include "tests/support/background.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/learner/replay/segment_log_support.h"

namespace londi::learner {
namespace {

using testing::Background;
using testing::TempFolder;

// Groups large enough for the writer, and several segments of them.
TEST(SegmentLogThreads, OneAppendsWhileOneReadsAndDropsAndOneAsksHowFarItIs) {
  constexpr std::int64_t kGroup = 11'111, kRows = 7 * kGroup;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const TempFolder folder;
  SegmentLog log(folder.path(), {.segment_bytes = 5 << 19});

  Background appending([&] {
    for (std::int64_t first = 1; first <= kRows; first += kGroup) {
      log.Append(Rows(first, kGroup));
      log.Commit();
    }
  });
  Background asking([&] {
    std::int64_t seen = 0;
    while (seen < kRows && log.WaitForRows(seen, deadline)) seen = log.end();
  });
  for (std::int64_t next = 0; next < kRows;) {
    ASSERT_TRUE(log.WaitForRows(next, deadline));
    for (const std::int64_t end = log.end(); next < end; ++next) {
      ASSERT_EQ(log.row(next).sequence, next + 1);
      ASSERT_EQ(log.features(next).size(), static_cast<std::size_t>(log.num_features()));
    }
    log.DropBefore(next);
  }
  appending.Get();

  EXPECT_EQ(log.watermarks().size(), 1u);
  EXPECT_GT(log.begin(), kRows / 2);
  EXPECT_EQ(log.Manifest().front().first_row, log.begin());
}

}  // namespace
}  // namespace londi::learner
