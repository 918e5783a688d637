// The log on a disk that is really full: a small tmpfs. Needs the right to mount one.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <vector>

#include "learner/replay/segment_log.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (mount("none", folder_.path().c_str(), "tmpfs", 0, "size=2500k") != 0) {
      GTEST_SKIP() << "mounting a tmpfs needs root";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }

  std::uint64_t FreeBytes() const {
    struct statvfs info {};
    statvfs(folder_.path().c_str(), &info);
    return info.f_bavail * info.f_bsize;
  }

  testing::TempFolder folder_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, EveryRowThatFitsIsStoredAndTheOthersOnceThereIsRoom) {
  std::vector<core::Transition> rows;
  for (std::int64_t i = 1; i <= 20'000; ++i)
    rows.push_back(testing::MakeTransition({.sequence = i}));
  SegmentLog log(folder_.path(), {.segment_bytes = 1 << 20, .durability = Durability::kDisk});

  const auto first = log.Append(rows);  // Two segments fit.
  log.Commit();
  ASSERT_TRUE(first.no_room.has_value());
  EXPECT_EQ(first.no_room->why, "No space left on device");
  EXPECT_EQ(log.Manifest().size(), 2u);
  EXPECT_GT(FreeBytes(), 100'000u) << "what the third one got is given back";

  ASSERT_EQ(mount("none", folder_.path().c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
  const auto rest = log.Append(rows);
  log.Commit();

  EXPECT_FALSE(rest.no_room.has_value());
  ASSERT_EQ(log.end(), 20'000);
  for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
}

}  // namespace
}  // namespace londi::learner
