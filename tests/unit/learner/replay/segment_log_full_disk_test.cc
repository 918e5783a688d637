#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <fstream>

#include "core/no_room.h"
#include "learner/replay/segment_log.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/learner/replay/segment_log_support.h"

namespace londi::learner {
namespace {

using testing::FileSizeLimit;
using testing::TempFolder;

// A disk that has room for so many segments.
DiskCalls RoomFor(const std::atomic<int>& segments) {
  DiskCalls disk;
  disk.allocate = [&segments, taken = 0](int fd, std::int64_t bytes) mutable {
    if (taken >= segments) return ENOSPC;
    ++taken;
    return posix_fallocate(fd, 0, bytes);
  };
  return disk;
}

TEST(SegmentLog, AFullDiskTakesNoRowThatDoesNotFitAndGoesOnWhenThereIsRoom) {
  const TempFolder folder;
  std::atomic<int> room = 1;
  {
    SegmentLog log(folder.path(), kSmallOnDisk, RoomFor(room));
    const auto rows = Rows(1, 10'000);

    const auto first = log.Append(rows);
    ASSERT_TRUE(first.no_room.has_value());
    EXPECT_EQ(first.no_room->why, "No space left on device");
    EXPECT_NE(first.no_room->fix, "");
    ASSERT_EQ(log.end(), first.rows);
    ASSERT_GT(first.rows, 1000);
    ASSERT_LT(first.rows, 10'000);
    EXPECT_EQ(log.watermarks()[0].second, core::Sequence(first.rows));
    const auto files = std::filesystem::directory_iterator(folder.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "an unfinished segment keeps room";
    EXPECT_TRUE(log.Append(rows).no_room.has_value()) << "still full";

    room = 2;
    const auto rest = log.Append(rows);
    EXPECT_FALSE(rest.no_room.has_value());
    EXPECT_EQ(rest.duplicates, first.rows);
    EXPECT_EQ(rest.rows, 10'000 - first.rows);
  }
  const SegmentLog log(folder.path(), {});
  ASSERT_EQ(log.end(), 10'000);
  for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
}

TEST(SegmentLog, ALimitOnTheSizeOfFilesIsAFullDiskToo) {
  const TempFolder folder;
  SegmentLog log(folder.path(), kSmallOnDisk);
  {
    const FileSizeLimit limit(512 << 10);
    const auto appended = log.Append(Rows(1, 10));
    ASSERT_TRUE(appended.no_room.has_value());
    EXPECT_EQ(appended.no_room->why, "File too large");
    EXPECT_EQ(log.end(), 0);
  }
  EXPECT_EQ(log.Append(Rows(1, 10)).rows, 10);
}

TEST(SegmentLog, GivesACopyWithHolesItsRoomBack) {
  const TempFolder folder;
  SegmentLog(folder.path(), kSmallOnDisk).Append(Rows(1, 5));
  const std::filesystem::path segment = OnlySegment(folder.path());
  const auto size = std::filesystem::file_size(segment);
  std::filesystem::resize_file(segment, 8192);
  std::filesystem::resize_file(segment, size);  // What lay behind is a hole now.
  const auto room = [&] {
    struct stat info {};
    stat(segment.c_str(), &info);
    return static_cast<std::uintmax_t>(info.st_blocks) * 512;
  };
  ASSERT_LT(room(), size);

  const SegmentLog log(folder.path(), kSmallOnDisk);

  EXPECT_GE(room(), size);
  EXPECT_EQ(log.end(), 5);
}

TEST(SegmentLog, ACopyWithHolesIsRefusedWhereTheDiskHasNoRoomForThem) {
  const TempFolder folder;
  SegmentLog(folder.path(), kSmallOnDisk).Append(Rows(1, 5));
  const std::atomic<int> room = 0;

  EXPECT_THROW(SegmentLog(folder.path(), kSmallOnDisk, RoomFor(room)), core::NoRoomError);

  EXPECT_EQ(SegmentLog(folder.path(), kSmallOnDisk).end(), 5);
}

// The room was there. If this were taken for a disk that is full for now, the next sync would
// succeed and the rows that this one lost be acknowledged.
TEST(SegmentLog, ASyncThatFailsForWantOfRoomBeforeANewSegmentIsAnError) {
  const TempFolder folder;
  DiskCalls disk;
  disk.sync_data = [](int) {
    errno = ENOSPC;
    return -1;
  };
  SegmentLog log(folder.path(), kSmallOnDisk, disk);

  EXPECT_THROW(log.Append(Rows(1, 10'000)), core::IoError);
}

// Some file systems find out late: not when the room is asked for, but when it is synced.
TEST(SegmentLog, ADiskThatFindsOutLateThatItIsFullTakesNoRowEither) {
  for (const int refused : {1, 2}) {  // The file, its folder.
    const TempFolder folder;
    DiskCalls disk;
    disk.sync_all = [&, calls = 0](int) mutable {
      errno = ENOSPC;
      return ++calls == refused ? -1 : 0;
    };
    {
      SegmentLog log(folder.path(), kSmallOnDisk, disk);
      const auto first = log.Append(Rows(1, 5));
      ASSERT_TRUE(first.no_room.has_value());
      EXPECT_EQ(first.rows, 0);

      EXPECT_EQ(log.Append(Rows(1, 5)).rows, 5);
      log.Commit();
    }
    const SegmentLog log(folder.path(), kSmallOnDisk);
    ASSERT_EQ(log.end(), 5);
    for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(log.row(i).sequence, i + 1);
  }
}

TEST(SegmentLog, ATornTailOnAFullDiskIsCutInPlace) {
  const TempFolder folder;
  SegmentLog(folder.path(), kSmallOnDisk).Append(Rows(1, 5));
  {
    std::fstream file(OnlySegment(folder.path()), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096 + 4 * 128 + 60);
    file.put('\x55');
  }
  const FileSizeLimit limit(4096);  // Shorter and longer again would be refused.

  SegmentLog log(folder.path(), kSmallOnDisk);

  EXPECT_EQ(log.end(), 4);
  EXPECT_EQ(log.Append(Rows(5, 2)).rows, 2);
}

TEST(SegmentLog, ALimitThatComesLaterLeavesASegmentItsRoom) {
  const TempFolder folder;
  {
    SegmentLog log(folder.path(), kSmallOnDisk);
    log.Append(Rows(1, 5));
    log.Commit();
    const FileSizeLimit limit(4096);

    EXPECT_EQ(log.Append(Rows(6, 5)).rows, 5);
    log.Commit();

    EXPECT_EQ(log.row(9).sequence, 10);
  }
  EXPECT_EQ(SegmentLog(folder.path(), {}).end(), 10);
}

}  // namespace
}  // namespace londi::learner
