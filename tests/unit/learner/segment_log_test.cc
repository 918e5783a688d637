#include "learner/segment_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/no_room.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

using testing::FileSizeLimit;
using testing::MakeTransition;
using testing::TempFolder;

std::vector<core::Transition> Rows(std::int64_t first, std::int64_t count, std::int64_t actor = 0) {
  std::vector<core::Transition> rows;
  for (std::int64_t i = first; i < first + count; ++i)
    rows.push_back(MakeTransition({.actor = actor, .sequence = i}));
  return rows;
}

// For tests that open many logs.
DiskCalls WithoutSyncs() {
  DiskCalls disk;
  disk.sync_data = disk.sync_all = [](int) { return 0; };
  return disk;
}

std::filesystem::path OnlySegment(const std::filesystem::path& folder) {
  return folder / "segment-000000000000000.log";
}

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
                                         .gain = {{-0.5f, 3}}});
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

constexpr SegmentLogOptions kSmallOnDisk{.segment_bytes = 1 << 20, .durability = Durability::kDisk};

TEST(SegmentLog, OneCommitSyncsEachSegmentThatWasWrittenOnce) {
  const TempFolder folder;
  RecordedSyncs syncs;
  SegmentLog log(folder.path(), kSmallOnDisk, syncs.calls());
  log.Append(Rows(1, 5));
  log.Append(Rows(6, 20'000));
  EXPECT_TRUE(syncs.data.empty());

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

  log.Append(Rows(6, 10'000));
  EXPECT_GT(log.end(), 5) << "more than are collected";
  EXPECT_LT(log.end(), 10'005);
  log.Commit();
  ASSERT_EQ(log.end(), 10'005);
  for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
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

TEST(SegmentLog, ANewSegmentAndItsNameAreOnTheDiskBeforeItsFirstRow) {
  const TempFolder folder;
  RecordedSyncs syncs;
  SegmentLog log(folder.path(), kSmallOnDisk, syncs.calls());

  log.Append(Rows(1, 1));

  EXPECT_EQ(syncs.all,
            (std::vector<std::string>{"segment-000000000000000.log.tmp",
                                      folder.path().filename().string()}));
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

// Segments of which one lacks its header, as when the machine dies before the disk has it.
class UnfinishedSegment : public ::testing::Test {
 protected:
  struct Damage {
    const char* name;
    std::function<void(const std::filesystem::path& file)> act;
    bool leaves_nothing;  // But zeros.
  };
  static constexpr std::int64_t kRowsPerSegment = 8192;
  static constexpr std::int64_t kUsed = 48 + 24;  // The header, with one watermark.

  static std::vector<Damage> Damages() {
    const auto resize = [](std::uintmax_t size) {
      return [size](const auto& file) { std::filesystem::resize_file(file, size); };
    };
    return {
        {"empty", resize(0), true},
        {"zeros",
         [](const auto& file) {
           const auto size = std::filesystem::file_size(file);
           std::filesystem::resize_file(file, 0);
           std::filesystem::resize_file(file, size);
         },
         true},
        {"too short for a header", resize(40), false},
        {"too short for its watermarks", resize(60), false},
        {"a header of zeros before rows", [](const auto& file) { Zero(file, 0); }, false},
        {"a torn header before rows", [](const auto& file) { Zero(file, 20); }, false},
    };
  }
  // The header from byte `from` on.
  static void Zero(const std::filesystem::path& file, std::int64_t from) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(from);
    stream << std::string(static_cast<std::size_t>(kUsed - from), '\0');
  }
  static std::filesystem::path Segment(const std::filesystem::path& folder, std::int64_t index) {
    char name[48];
    std::snprintf(
        name, sizeof(name), "segment-%015lld.log", static_cast<long long>(index * kRowsPerSegment));
    return folder / name;
  }
  // Full segments but for the last, which has a few rows.
  static void Make(const std::filesystem::path& folder, std::int64_t segments) {
    SegmentLog(folder, {.segment_bytes = 1 << 20})
        .Append(Rows(1, (segments - 1) * kRowsPerSegment + 5));
    ASSERT_TRUE(std::filesystem::exists(Segment(folder, segments - 1)));
  }
  static SegmentLogOptions Options(Durability durability) {
    return {.segment_bytes = 1 << 20, .durability = durability};
  }
  // Whether a log whose last segment begins at row `end` sets it aside, loses none of the others
  // and goes on.
  static void ExpectSetAside(const std::filesystem::path& folder,
                             std::int64_t end,
                             Durability durability) {
    const std::filesystem::path last = Segment(folder, end / kRowsPerSegment);
    const auto size = std::filesystem::file_size(last);
    {
      SegmentLog log(folder, Options(durability));
      ASSERT_TRUE(log.set_aside().has_value());
      EXPECT_NE(log.set_aside()->what.find(last.string()), std::string::npos);
      EXPECT_NE(log.set_aside()->why, "");
      EXPECT_NE(log.set_aside()->fix, "");
      EXPECT_FALSE(std::filesystem::exists(last));
      EXPECT_EQ(std::filesystem::file_size(last.string() + ".aside"), size);
      ASSERT_EQ(log.end(), end);
      const auto again = log.Append(Rows(1, end + 7));
      EXPECT_EQ(again.duplicates, end);
      EXPECT_EQ(again.rows, 7);
      log.Commit();
    }
    const SegmentLog log(folder, Options(durability));
    EXPECT_FALSE(log.set_aside().has_value());
    ASSERT_EQ(log.end(), end + 7);
    for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
  }
};

TEST_F(UnfinishedSegment, TheLastOneIsSetAside) {
  for (const Damage& damage : Damages()) {
    SCOPED_TRACE(damage.name);
    const TempFolder folder;
    Make(folder.path(), 2);
    damage.act(Segment(folder.path(), 1));

    ExpectSetAside(folder.path(), kRowsPerSegment, Durability::kPageCache);
  }
}

TEST_F(UnfinishedSegment, TheOnlyOneIsSetAside) {
  for (const Damage& damage : Damages()) {
    SCOPED_TRACE(damage.name);
    const TempFolder folder;
    Make(folder.path(), 1);
    damage.act(Segment(folder.path(), 0));

    ExpectSetAside(folder.path(), 0, Durability::kPageCache);
  }
}

TEST_F(UnfinishedSegment, WhereverItsHeaderTore) {
  const TempFolder folder;
  Make(folder / "whole", 2);
  std::string whole(kUsed, '\0');
  std::ifstream(Segment(folder / "whole", 1), std::ios::binary).read(whole.data(), kUsed);
  for (std::int64_t torn = 0; torn < kUsed; ++torn) {
    const bool is_whole =
        whole.find_first_not_of('\0', static_cast<std::size_t>(torn)) == std::string::npos;
    const std::filesystem::path copy = folder / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(folder / "whole", copy);
    Zero(Segment(copy, 1), torn);

    const SegmentLog log(copy, {}, WithoutSyncs());

    ASSERT_EQ(log.set_aside().has_value(), !is_whole) << torn;
    ASSERT_EQ(log.end(), kRowsPerSegment + (is_whole ? 5 : 0)) << torn;
  }
}

// Nothing is acknowledged there before the header is on the disk: where there is more than zeros,
// something else happened, and acknowledged rows may be behind it.
TEST_F(UnfinishedSegment, OnDiskOnlyOneThatNeverHeldAnythingIsSetAside) {
  for (const Damage& damage : Damages()) {
    SCOPED_TRACE(damage.name);
    const TempFolder folder;
    Make(folder.path(), 2);
    const std::filesystem::path last = Segment(folder.path(), 1);
    damage.act(last);

    if (damage.leaves_nothing) {
      ExpectSetAside(folder.path(), kRowsPerSegment, Durability::kDisk);
    } else {
      EXPECT_THROW(SegmentLog(folder.path(), Options(Durability::kDisk)), core::IoError);
      EXPECT_TRUE(std::filesystem::exists(last));
    }
  }
}

TEST_F(UnfinishedSegment, AnEarlierOneIsAnErrorAndStaysWhereItIs) {
  for (const Durability durability : {Durability::kDisk, Durability::kPageCache}) {
    for (const std::int64_t index : {0, 1}) {
      for (const Damage& damage : Damages()) {
        SCOPED_TRACE(damage.name);
        const TempFolder folder;
        Make(folder.path(), 3);
        damage.act(Segment(folder.path(), index));

        EXPECT_THROW(SegmentLog(folder.path(), Options(durability)), core::IoError);
        EXPECT_TRUE(std::filesystem::exists(Segment(folder.path(), index)));
        EXPECT_TRUE(std::filesystem::exists(Segment(folder.path(), 2)));
      }
    }
  }
}

TEST_F(UnfinishedSegment, OneOfAnotherLayoutOrAForeignFileIsNone) {
  const TempFolder folder;
  Make(folder.path(), 2);
  const std::filesystem::path last = Segment(folder.path(), 1);
  {
    std::fstream file(last, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(8);
    file.put('\x63');
  }
  EXPECT_THROW(SegmentLog(folder.path(), {}), core::ModelError);
  EXPECT_TRUE(std::filesystem::exists(last));

  std::filesystem::remove(last);
  std::ofstream(folder / "segment-8192.log") << "";
  EXPECT_THROW(SegmentLog(folder.path(), {}), core::IoError);
}

TEST(SegmentLog, DropsNoSegmentThatIsNotCommitted) {
  const TempFolder folder;
  SegmentLog log(folder.path(), kSmallOnDisk);
  log.Append(Rows(1, 20'000));

  log.DropBefore(log.end());
  EXPECT_EQ(log.begin(), 0);
  log.Commit();
  log.DropBefore(log.end());
  EXPECT_GT(log.begin(), 0);
}

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

TEST(SegmentLog, WaitsForRowsUntilTheDeadline) {
  const TempFolder folder;
  SegmentLog log(folder.path(), {});

  EXPECT_FALSE(log.WaitForRows(0, std::chrono::steady_clock::now()));
  log.Append(Rows(1, 1));
  log.Commit();
  EXPECT_TRUE(log.WaitForRows(0, std::chrono::steady_clock::now()));
  EXPECT_FALSE(log.WaitForRows(1, std::chrono::steady_clock::now()));
}

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
