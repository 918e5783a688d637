#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "learner/replay/segment_log.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/learner/replay/segment_log_support.h"

namespace londi::learner {
namespace {

using testing::TempFolder;

// Segments of which one lacks its header, or its last rows, as when the machine dies before the
// disk has them.
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
  static constexpr std::int64_t kPage = 4096, kRowsPerPage = 32;
  // The last pages of a full segment.
  static void ZeroTail(const std::filesystem::path& file, std::int64_t pages) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(-pages * kPage, std::ios::end);
    stream << std::string(static_cast<std::size_t>(pages * kPage), '\0');
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
      ASSERT_EQ(log.set_aside().size(), 1u);
      EXPECT_NE(log.set_aside()[0].what.find(last.string()), std::string::npos);
      EXPECT_NE(log.set_aside()[0].why, "");
      EXPECT_NE(log.set_aside()[0].fix, "");
      EXPECT_FALSE(std::filesystem::exists(last));
      EXPECT_EQ(std::filesystem::file_size(last.string() + ".aside"), size);
      ASSERT_EQ(log.end(), end);
      const auto again = log.Append(Rows(1, end + 7));
      EXPECT_EQ(again.duplicates, end);
      EXPECT_EQ(again.rows, 7);
      log.Commit();
    }
    const SegmentLog log(folder, Options(durability));
    EXPECT_TRUE(log.set_aside().empty());
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

    ASSERT_EQ(log.set_aside().empty(), is_whole) << torn;
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

// The machine died within half a minute of a segment's beginning: the kernel had not yet written
// the last rows of the one before.
TEST_F(UnfinishedSegment, ALogWhoseLastSegmentFollowsATailThatTheDiskNeverGotOpensAndGoesOn) {
  for (const std::int64_t pages : {1, 7, 256}) {
    SCOPED_TRACE(pages);
    const TempFolder folder;
    Make(folder.path(), 2);
    ZeroTail(Segment(folder.path(), 0), pages);
    const std::int64_t end = kRowsPerSegment - pages * kRowsPerPage;
    {
      SegmentLog log(folder.path(), Options(Durability::kPageCache));
      ASSERT_EQ(log.set_aside().size(), 1u);
      EXPECT_NE(log.set_aside()[0].why.find("rows before it"), std::string::npos);
      EXPECT_TRUE(std::filesystem::exists(Segment(folder.path(), 1).string() + ".aside"));
      ASSERT_EQ(log.end(), end);
      EXPECT_EQ(log.Append(Rows(1, 10'000)).duplicates, end);
      log.Commit();
    }
    const SegmentLog log(folder.path(), Options(Durability::kPageCache));
    EXPECT_TRUE(log.set_aside().empty());
    ASSERT_EQ(log.end(), 10'000);
    for (std::int64_t i = 0; i < log.end(); ++i) ASSERT_EQ(log.row(i).sequence, i + 1);
  }
}

// As with small segments, of which many fill before the kernel has written one.
TEST_F(UnfinishedSegment, ALogWhoseNewestSegmentsAllLackTheirTailsEndsWithTheFirstOfThem) {
  const TempFolder folder;
  Make(folder.path(), 5);
  for (const std::int64_t index : {1, 2, 3}) ZeroTail(Segment(folder.path(), index), 2);

  SegmentLog log(folder.path(), Options(Durability::kPageCache));

  EXPECT_EQ(log.set_aside().size(), 3u);
  EXPECT_EQ(log.end(), 2 * kRowsPerSegment - 2 * kRowsPerPage);
  EXPECT_EQ(log.Append(Rows(1, 20'000)).duplicates, log.end());
  log.VerifyOlder();
}

// There it was on the disk before the next one began: what is missing was acknowledged.
TEST_F(UnfinishedSegment, OnDiskATailThatIsMissingBeforeTheLastOneIsAnError) {
  const TempFolder folder;
  Make(folder.path(), 2);
  ZeroTail(Segment(folder.path(), 0), 1);

  EXPECT_THROW(SegmentLog(folder.path(), Options(Durability::kDisk)), core::IoError);
  EXPECT_TRUE(std::filesystem::exists(Segment(folder.path(), 1)));
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

}  // namespace
}  // namespace londi::learner
