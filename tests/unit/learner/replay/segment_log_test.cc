#include "learner/replay/segment_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"
#include "tests/unit/learner/replay/segment_log_support.h"

namespace londi::learner {
namespace {

using testing::MakeTransition;
using testing::TempFolder;

TEST(SegmentLog, GivesBackEveryFieldAfterReopening) {
  const TempFolder folder;
  core::Transition row = MakeTransition({.actor = 3,
                                         .incarnation = 2,
                                         .sequence = 1,
                                         .episode = 77,
                                         .step = 5,
                                         .steps_left = 9,
                                         .activated = true,
                                         .reward = 0.5f,
                                         .cost = 0.05f,
                                         .remaining = 4,
                                         .terminated = true,
                                         .truncated = true,
                                         .agreed = true,
                                         .num_features = 7,
                                         .gain = {{-0.5f, 3}},
                                         .reference = -0.75f});
  row.behaviour_prob = 0.25f;
  row.may_activate = false;
  row.tokens = 123;
  row.gflops = 4.5f;
  row.milliseconds = 6.5f;
  row.quick_model = 0xfedcba9876543210ULL;
  row.deepthink_model = 42;
  SegmentLog(folder.path(), {}).Append({&row, 1});

  const SegmentLog log(folder.path(), {});

  ASSERT_EQ(log.end(), 1);
  const core::Transition read = log.transition(0);
  EXPECT_EQ(read.actor, row.actor);
  EXPECT_EQ(read.incarnation, row.incarnation);
  EXPECT_EQ(read.sequence, row.sequence);
  EXPECT_EQ(read.episode, row.episode);
  EXPECT_EQ(read.step, 5);
  EXPECT_EQ(read.steps_left, 9);
  EXPECT_EQ(read.features, row.features);
  EXPECT_EQ(read.quick_action, 3);
  EXPECT_EQ(read.deepthink_action, 3);
  EXPECT_TRUE(read.activated && read.terminated && read.truncated && !read.may_activate);
  EXPECT_EQ(read.behaviour_prob, 0.25f);
  EXPECT_EQ(read.reward, 0.5f);
  EXPECT_EQ(read.cost, 0.05f);
  EXPECT_EQ(read.remaining, 4);
  EXPECT_EQ(read.tokens, 123);
  EXPECT_EQ(read.gflops, 4.5f);
  EXPECT_EQ(read.milliseconds, 6.5f);
  EXPECT_EQ(read.weights, core::WeightsVersion(5));
  EXPECT_EQ(read.quick_model, row.quick_model);
  EXPECT_EQ(read.deepthink_model, 42u);
  EXPECT_EQ(read.gain, row.gain);
  EXPECT_EQ(read.reference, -0.75f);
}

TEST(SegmentLog, RefusesDuplicatesAlsoAfterReopening) {
  const TempFolder folder;
  {
    SegmentLog log(folder.path(), {});
    EXPECT_EQ(log.Append(Rows(1, 10)).rows, 10);
    const auto again = log.Append(Rows(6, 10));
    EXPECT_EQ(again.duplicates, 5);
    EXPECT_EQ(again.rows, 5);
  }
  SegmentLog log(folder.path(), {});

  const auto again = log.Append(Rows(1, 15));

  EXPECT_EQ(again.duplicates, 15);
  EXPECT_EQ(again.rows, 0);
  EXPECT_EQ(log.end(), 15);
  ASSERT_EQ(log.watermarks().size(), 1u);
  EXPECT_EQ(log.watermarks()[0].second, core::Sequence(15));
}

TEST(SegmentLog, KeepsStreamsApartThatArriveInterleaved) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {});
  std::vector<core::Transition> rows;
  for (std::int64_t i = 1; i <= 3; ++i) {
    for (std::int64_t actor = 0; actor < 2; ++actor)
      rows.push_back(MakeTransition({.actor = actor, .sequence = i}));
  }

  EXPECT_EQ(log.Append(rows).rows, 6);
  EXPECT_EQ(log.Append(rows).duplicates, 6);
  EXPECT_EQ(log.watermarks().size(), 2u);
}

TEST(SegmentLog, GoesOnInNewSegmentsAndDropsOldOnesWithoutForgettingWatermarks) {
  const TempFolder folder;
  std::int64_t end = 0;
  {
    SegmentLog log(folder.path(), {.segment_bytes = 1 << 20});
    log.Append(Rows(1, 5, /*actor=*/1));
    log.Append(Rows(1, 25'000));
    log.Commit();
    ASSERT_GE(log.Manifest().size(), 3u);
    const std::int64_t second = log.Manifest()[1].first_row;
    end = log.end();

    log.DropBefore(second);

    EXPECT_EQ(log.begin(), second);
    EXPECT_EQ(log.row(end - 1).sequence, 25'000);
  }
  SegmentLog log(folder.path(), {});

  EXPECT_EQ(log.end(), end);
  EXPECT_GT(log.begin(), 0);
  EXPECT_EQ(log.Append(Rows(1, 5, /*actor=*/1)).duplicates,
            5);  // Their rows are gone, their mark is not.
  EXPECT_EQ(log.Append(Rows(25'001, 2)).rows, 2);
  log.Commit();
  EXPECT_EQ(log.row(end + 1).sequence, 25'002);
}

TEST(SegmentLog, CutsATornLastRowOffWhereverItTore) {
  const TempFolder folder;
  SegmentLog(folder.path() / "whole", {}).Append(Rows(1, 3));
  const std::filesystem::path whole = OnlySegment(folder.path() / "whole");
  constexpr std::int64_t kHeader = 4096, kStride = 128;
  std::vector<char> bytes(kHeader + 3 * kStride);
  std::ifstream(whole, std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));

  for (std::int64_t torn = 0; torn < kStride; ++torn) {
    // Bytes of the last row from `torn` on did not reach the disk: the file ends there, or holds
    // zeros there.
    for (const bool shortened : {true, false}) {
      const std::filesystem::path copy = folder.path() / "copy";
      std::filesystem::remove_all(copy);
      std::filesystem::create_directory(copy);
      std::vector<char> damaged = bytes;
      damaged.resize(static_cast<std::size_t>(kHeader + 2 * kStride + torn));
      if (!shortened) damaged.resize(bytes.size(), '\0');
      const bool is_whole = damaged == bytes;  // The row's padding is zeros anyhow.
      std::ofstream(OnlySegment(copy), std::ios::binary)
          .write(damaged.data(), static_cast<std::streamsize>(damaged.size()));

      SegmentLog log(copy, {}, WithoutSyncs());
      ASSERT_EQ(log.end(), is_whole ? 3 : 2) << torn << (shortened ? " shortened" : " zeroed");
      ASSERT_EQ(log.Append(Rows(1, 4)).rows, is_whole ? 1 : 2);
      log.Commit();
      for (std::int64_t i = 0; i < 4; ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
    }
  }
}

TEST(SegmentLog, DoesNotResurrectRowsBehindACut) {
  const TempFolder folder;
  SegmentLog(folder.path(), {}).Append(Rows(1, 5));
  {
    std::fstream file(OnlySegment(folder.path()), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096 + 2 * 128 + 60);  // In row 2; rows 3 and 4 stay whole.
    file.put('\x55');
  }
  {
    SegmentLog log(folder.path(), {});
    ASSERT_EQ(log.end(), 2);
    EXPECT_GT(log.cut_bytes(), 0);
    log.Append(Rows(3, 1));
  }

  const SegmentLog log(folder.path(), {});

  EXPECT_EQ(log.end(), 3);
  EXPECT_EQ(log.cut_bytes(), 0);
}

TEST(SegmentLog, RefusesRowsOfAnotherNumberOfFeatures) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {});
  log.Append(Rows(1, 1));
  const core::Transition other = MakeTransition({.sequence = 2, .num_features = 5});

  EXPECT_THROW(log.Append({&other, 1}), core::ModelError);
}

TEST(SegmentLog, RefusesAMissingSegmentInTheMiddleAndForeignFiles) {
  const TempFolder folder;
  std::vector<SegmentLog::Segment> segments;
  {
    SegmentLog log(folder.path(), {.segment_bytes = 1 << 20});
    log.Append(Rows(1, 25'000));
    segments = log.Manifest();
  }
  std::filesystem::remove(folder.path() / segments[1].file);
  EXPECT_THROW(SegmentLog(folder.path(), {}), core::IoError);

  const TempFolder other;
  std::ofstream(other / "segment-x.log") << "hello";
  EXPECT_THROW(SegmentLog(other.path(), {}), core::IoError);
}

// Four segments; in the one number `index` a byte of a row is another.
void MakeLogWithADamagedRow(const TempFolder& folder, std::size_t index) {
  std::vector<SegmentLog::Segment> segments;
  {
    SegmentLog log(folder.path(), {.segment_bytes = 1 << 20});
    log.Append(Rows(1, 25'000));
    log.Commit();
    segments = log.Manifest();
  }
  ASSERT_EQ(segments.size(), 4u);
  std::fstream(folder.path() / segments[index].file,
               std::ios::binary | std::ios::in | std::ios::out)
      .seekp(4096 + 10 * 128 + 60)
      .put('\x55');
}

TEST(SegmentLog, OpeningLeavesOlderSegmentsToBeVerifiedBeforeTheyAreRead) {
  for (const std::size_t damaged : {0, 1}) {
    const TempFolder folder;
    MakeLogWithADamagedRow(folder, damaged);
    SegmentLog log(folder.path(), {});
    EXPECT_EQ(log.end(), 25'000);

    try {
      log.VerifyOlder();
      FAIL() << damaged;
    } catch (const core::IoError& error) {
      EXPECT_NE(error.text().what.find("row " + std::to_string(damaged * 8192 + 10)),
                std::string::npos)
          << error.text().what;
    }
  }
}

TEST(SegmentLog, OpeningRefusesADamagedRowInTheLastSegmentButOne) {
  const TempFolder folder;
  MakeLogWithADamagedRow(folder, 2);

  try {
    const SegmentLog log(folder.path(), {});
    FAIL();
  } catch (const core::IoError& error) {
    EXPECT_NE(error.text().what.find("row 16394"), std::string::npos) << error.text().what;
    EXPECT_NE(error.text().why.find("segment-000000000016384"), std::string::npos)
        << error.text().why;
  }
}

TEST(SegmentLog, OpeningRefusesAnOlderSegmentThatIsShort) {
  const TempFolder folder;
  MakeLogWithADamagedRow(folder, 0);
  std::filesystem::resize_file(OnlySegment(folder.path()), 4096 + 10 * 128);

  EXPECT_THROW(SegmentLog(folder.path(), {}), core::IoError);
}

TEST(SegmentLog, VerifiesOlderSegmentsOnceAndSaysThatItGetsOn) {
  const TempFolder folder;
  SegmentLog(folder.path(), {.segment_bytes = 1 << 20}).Append(Rows(1, 25'000));
  SegmentLog log(folder.path(), {});
  int times = 0;

  log.VerifyOlder([&] { ++times; });
  log.VerifyOlder([&] { ++times; });

  EXPECT_EQ(times, 2);
  EXPECT_EQ(log.watermarks().at(0).second.value, 25'000);
}

// It was begun among the rows of a message, and killed before one of them was in it.
TEST(SegmentLog, ASegmentWithoutARowDoesNotForgetTheMessageItWasBegunAmong) {
  const TempFolder folder;
  std::filesystem::path last;
  {
    SegmentLog log(folder.path(), {.segment_bytes = 1 << 20});
    log.Append(Rows(1, 8190));
    log.Append(Rows(8191, 10));
    log.Commit();
    last = folder.path() / log.Manifest().at(1).file;
  }
  const std::string zeros(8 * 128, '\0');
  std::fstream(last, std::ios::binary | std::ios::in | std::ios::out)
      .seekp(4096)
      .write(zeros.data(), static_cast<std::streamsize>(zeros.size()));

  SegmentLog log(folder.path(), {});

  ASSERT_EQ(log.end(), 8192);
  EXPECT_EQ(log.watermarks().at(0).second.value, 8192);
  EXPECT_EQ(log.Append(Rows(8191, 10)).duplicates, 2);
}

TEST(SegmentLog, SaysSoWhenTheFolderCannotBeMade) {
  const TempFolder folder;
  std::ofstream(folder / "file") << "x";

  EXPECT_THROW(SegmentLog(folder / "file/log", {}), core::IoError);
}

// Remembers what was synced; paths as they were then.
struct RecordedSyncs {
  std::vector<std::string> data, all;

  DiskCalls calls() {
    DiskCalls disk;
    disk.sync_data = [this](int fd) { return Note(data, fd); };
    disk.sync_all = [this](int fd) { return Note(all, fd); };
    return disk;
  }
  static int Note(std::vector<std::string>& names, int fd) {
    names.push_back(
        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).filename());
    return 0;
  }
};

TEST(SegmentLog, OneCommitSyncsEachSegmentThatWasWrittenOnce) {
  const TempFolder folder;
  RecordedSyncs syncs;
  SegmentLog log(folder.path(), kSmallOnDisk, syncs.calls());
  log.Append(Rows(1, 5));
  EXPECT_TRUE(syncs.data.empty());
  log.Append(Rows(6, 20'000));
  EXPECT_EQ(syncs.data.size(), 2u) << "those that are full";

  log.Commit();
  ASSERT_EQ(log.Manifest().size(), 3u);
  EXPECT_EQ(syncs.data.size(), 3u);
  log.Commit();
  EXPECT_EQ(syncs.data.size(), 3u) << "nothing new to sync";
  log.Append(Rows(20'006, 1));
  log.Commit();
  ASSERT_EQ(syncs.data.size(), 4u);
  EXPECT_EQ(syncs.data[3], log.Manifest()[2].file);
}

TEST(SegmentLog, WithThePageCacheNothingWaitsForTheDisk) {
  const TempFolder folder;
  RecordedSyncs syncs;
  std::atomic<bool> stored = false;
  DiskCalls disk = syncs.calls();
  disk.sync_all = [&, note = disk.sync_all](int fd) {
    while (!stored) std::this_thread::yield();
    return note(fd);
  };
  {
    SegmentLog log(folder.path(), {}, disk);

    log.Append(Rows(1, 5));
    log.Commit();

    EXPECT_EQ(log.end(), 5);
    stored = true;
  }
  EXPECT_TRUE(syncs.data.empty());
  // The file itself follows in its own time.
  EXPECT_EQ(
      syncs.all,
      (std::vector<std::string>{"segment-000000000000000.log", folder.path().filename().string()}));
}

TEST(SegmentLog, ShowsRowsOnceTheKernelHasThem) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {});

  log.Append(Rows(1, 5));
  EXPECT_EQ(log.end(), 0);
  log.Commit();
  EXPECT_EQ(log.end(), 5);

  log.Append(Rows(6, 20'000));
  EXPECT_GT(log.end(), 5) << "more than are collected";
  EXPECT_LT(log.end(), 20'005);
  log.Commit();
  ASSERT_EQ(log.end(), 20'005);
  for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
}

TEST(SegmentLog, ANewSegmentAndItsNameAreOnTheDiskBeforeItsFirstRow) {
  const TempFolder folder;
  RecordedSyncs syncs;
  SegmentLog log(folder.path(), kSmallOnDisk, syncs.calls());

  log.Append(Rows(1, 1));

  EXPECT_EQ(syncs.all,
            (std::vector<std::string>{"segment-000000000000000.log.tmp",
                                      folder.path().filename().string()}));
}

// Or a machine that dies now leaves a log with a hole.
TEST(SegmentLog, OnDiskASegmentIsThereBeforeTheNextOneBegins) {
  const TempFolder folder;
  RecordedSyncs syncs;
  std::vector<std::vector<std::string>> synced_before;
  DiskCalls disk = syncs.calls();
  disk.allocate = [&, allocate = disk.allocate](int fd, std::int64_t bytes) {
    synced_before.push_back(syncs.data);
    return allocate(fd, bytes);
  };
  SegmentLog log(folder.path(), kSmallOnDisk, disk);

  log.Append(Rows(1, 20'000));

  const std::string first = "segment-000000000000000.log", second = "segment-000000000008192.log";
  EXPECT_EQ(synced_before, (std::vector<std::vector<std::string>>{{}, {first}, {first, second}}));
}

TEST(SegmentLog, OpeningCommitsWhatAKilledProcessHadOnlyAppended) {
  const TempFolder folder;
  SegmentLog(folder.path(), kSmallOnDisk).Append(Rows(1, 5));
  RecordedSyncs syncs;

  const SegmentLog log(folder.path(), kSmallOnDisk, syncs.calls());

  EXPECT_EQ(log.end(), 5);
  EXPECT_EQ(syncs.data.size(), 1u);
}

// A killed life may have begun the segment without waiting for the disk.
TEST(SegmentLog, OpeningMakesTheLastSegmentAndItsNameSurviveTheMachine) {
  for (const Durability durability : {Durability::kDisk, Durability::kPageCache}) {
    const TempFolder folder;
    SegmentLog(folder.path(), {.segment_bytes = 1 << 20}).Append(Rows(1, 10'000));
    RecordedSyncs syncs;

    // Opened and closed, so that what happens in the background is over.
    SegmentLog(folder.path(), {.durability = durability}, syncs.calls());

    EXPECT_EQ(syncs.all,
              (std::vector<std::string>{"segment-000000000008192.log",
                                        folder.path().filename().string()}));
  }
}

TEST(SegmentLog, DropsNoSegmentThatIsNotCommitted) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {.segment_bytes = 1 << 20});
  log.Append(Rows(1, 20'000));

  log.DropBefore(log.end());
  EXPECT_EQ(log.begin(), 0);
  log.Commit();
  log.DropBefore(log.end());
  EXPECT_GT(log.begin(), 0);
}

TEST(SegmentLog, AFailureInTheBackgroundIsToldWhenTheNextSegmentBegins) {
  const TempFolder folder;
  DiskCalls disk;
  disk.sync_all = [](int) {
    errno = EIO;
    return -1;
  };
  SegmentLog log(folder.path(), {.segment_bytes = 1 << 20}, disk);
  EXPECT_EQ(log.Append(Rows(1, 5)).rows, 5);

  EXPECT_THROW(log.Append(Rows(6, 10'000)), core::IoError);
}

TEST(SegmentLog, WaitsForRowsUntilTheDeadline) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {});

  EXPECT_FALSE(log.WaitForRows(0, std::chrono::steady_clock::now()));
  log.Append(Rows(1, 1));
  log.Commit();
  EXPECT_TRUE(log.WaitForRows(0, std::chrono::steady_clock::now()));
  EXPECT_FALSE(log.WaitForRows(1, std::chrono::steady_clock::now()));
}

}  // namespace
}  // namespace londi::learner
