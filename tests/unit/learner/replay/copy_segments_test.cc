#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "learner/replay/segment_log.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/learner/replay/segment_log_support.h"

namespace londi::learner {
namespace {

using testing::TempFolder;

TEST(CopySegments, TheCopyHasTheRowsOfThenAndGrowsByItself) {
  const TempFolder from, to;
  SegmentLog log(from.path(), {.segment_bytes = 1 << 20});
  std::int64_t rows = 0;
  while (log.Manifest().size() < 3) {
    log.Append(Rows(rows + 1, 1000));
    log.Commit();
    rows += 1000;
  }

  CopySegments(from.path(), to.path());
  log.Append(Rows(rows + 1, 10));
  log.Commit();
  SegmentLog copy(to.path(), {.segment_bytes = 1 << 20});
  EXPECT_EQ(copy.end(), rows);
  copy.Append(Rows(rows + 1, 20));
  copy.Commit();

  EXPECT_EQ(copy.end(), rows + 20);
  EXPECT_EQ(log.end(), rows + 10);
  EXPECT_EQ(copy.row(rows - 1).sequence, rows);
  const auto newest = log.Manifest().back().file;
  struct stat old_file {};
  struct stat new_file {};
  ASSERT_EQ(stat((from / newest).c_str(), &old_file), 0);
  ASSERT_EQ(stat((to / newest).c_str(), &new_file), 0);
  EXPECT_NE(old_file.st_ino, new_file.st_ino);  // Both are written to.
}

TEST(CopySegments, AFolderWithoutRowsIsAnError) {
  const TempFolder from, to;
  EXPECT_THROW(CopySegments(from.path(), to.path()), core::IoError);
  EXPECT_THROW(CopySegments(from / "missing", to.path()), core::IoError);
}

}  // namespace
}  // namespace londi::learner
