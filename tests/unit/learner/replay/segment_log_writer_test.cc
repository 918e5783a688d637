#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "learner/replay/segment_log.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/learner/replay/segment_log_support.h"

// Groups larger than a buffer of the log, 1 MiB or 8192 rows of 128 bytes: a thread of its own
// writes them.
namespace londi::learner {
namespace {

using testing::TempFolder;

constexpr off_t kHeaderBytes = 4096;
constexpr off_t kStride = 128;

void ExpectRows(const SegmentLog& log, std::int64_t rows) {
  ASSERT_EQ(log.end(), rows);
  for (std::int64_t i = 0; i < rows; ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
}

// A disk on which rows cannot be written while `error` is one.
DiskCalls FailsWith(const std::atomic<int>& error) {
  DiskCalls disk;
  disk.write = [&error, write = disk.write](
                   int fd, const void* bytes, std::size_t size, off_t position) -> ssize_t {
    if (error == 0 || position < kHeaderBytes) return write(fd, bytes, size, position);
    errno = error;
    return -1;
  };
  return disk;
}

TEST(SegmentLogWriter, RowsAreAppendedWhileOthersAreWritten) {
  const TempFolder folder;
  std::atomic<bool> is_slow = true;
  DiskCalls disk;
  disk.write = [&is_slow, write = disk.write](
                   int fd, const void* bytes, std::size_t size, off_t position) {
    while (is_slow && position >= kHeaderBytes) std::this_thread::yield();
    return write(fd, bytes, size, position);
  };
  {
    SegmentLog log(folder.path(), {}, disk);

    EXPECT_EQ(log.Append(Rows(1, 10'000)).rows, 10'000);
    EXPECT_EQ(log.end(), 0) << "rows are visible that the kernel does not have";

    is_slow = false;
    log.Commit();
    ExpectRows(log, 10'000);
  }
  ExpectRows(SegmentLog(folder.path(), {}), 10'000);
}

// Whenever a process is killed: no row is missing before one that is there, and a segment is full
// before the next one has a name.
TEST(SegmentLogWriter, RowsReachTheKernelInOrderAndFillASegmentBeforeTheNextBegins) {
  constexpr std::int64_t kSegment = 5 << 19, kRowsPerSegment = kSegment / kStride;
  const TempFolder folder;
  std::mutex mutex;
  std::map<int, off_t> written;  // By file, bytes of rows.
  int begun = 0;
  DiskCalls disk;
  disk.write = [&, write = disk.write](
                   int fd, const void* bytes, std::size_t size, off_t position) {
    if (position >= kHeaderBytes) {
      // Whoever does not wait for this comes first.
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      std::lock_guard lock(mutex);
      EXPECT_EQ(position, kHeaderBytes + written[fd]);
      written[fd] += static_cast<off_t>(size);
    }
    return write(fd, bytes, size, position);
  };
  disk.allocate = [&, allocate = disk.allocate](int fd, std::int64_t bytes) {
    std::lock_guard lock(mutex);
    ++begun;
    for (const auto& [file, size] : written) EXPECT_EQ(size, kRowsPerSegment * kStride);
    return allocate(fd, bytes);
  };
  SegmentLog log(folder.path(), {.segment_bytes = kSegment}, disk);

  for (std::int64_t first = 1; first < 70'000; first += 11'111) log.Append(Rows(first, 11'111));
  log.Commit();

  EXPECT_EQ(begun, 4);
  ExpectRows(log, 7 * 11'111);
}

TEST(SegmentLogWriter, WhatItCannotWriteIsAnErrorOfTheCommitAndIsWrittenByTheNextOne) {
  const TempFolder folder;
  std::atomic<int> error = EIO;
  {
    SegmentLog log(folder.path(), {}, FailsWith(error));
    EXPECT_EQ(log.Append(Rows(1, 10'000)).rows, 10'000);

    EXPECT_THROW(log.Commit(), core::IoError);
    EXPECT_THROW(log.Commit(), core::IoError) << "still";
    EXPECT_EQ(log.end(), 0);

    error = 0;
    log.Commit();
    ExpectRows(log, 10'000);
  }
  ExpectRows(SegmentLog(folder.path(), {}), 10'000);
}

// As file systems may that write no block twice: the room that a segment has is none.
TEST(SegmentLogWriter, AFullDiskTakesNoRowsThatItCannotKeepAndGoesOnWhenThereIsRoom) {
  const TempFolder folder;
  std::atomic<int> error = ENOSPC;
  {
    SegmentLog log(folder.path(), {}, FailsWith(error));
    const auto rows = Rows(1, 30'000);

    const auto first = log.Append(rows);
    ASSERT_TRUE(first.no_room.has_value());
    EXPECT_EQ(first.rows, 2 * 8192) << "one buffer that is to be written, and one behind it";
    EXPECT_EQ(log.end(), 0);

    error = 0;
    const auto rest = log.Append(rows);
    EXPECT_FALSE(rest.no_room.has_value());
    EXPECT_EQ(rest.duplicates, first.rows);
    log.Commit();
    ExpectRows(log, 30'000);
  }
  ExpectRows(SegmentLog(folder.path(), {}), 30'000);
}

}  // namespace
}  // namespace londi::learner
