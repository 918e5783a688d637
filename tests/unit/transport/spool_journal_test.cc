#include "transport/spool_journal.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

#include "core/no_room.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transport_support.h"
#include "transport/crc32c.h"
#include "transport/frame.h"

namespace londi::transport {
namespace {

using testing::MakeRow;

std::string BytesOf(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class SpoolJournalTest : public ::testing::Test {
 protected:
  // Rows `first` to `last` of actor 3.
  void Write(std::int64_t incarnation,
             std::int64_t first,
             std::int64_t last,
             std::int64_t max_rows) {
    SpoolJournal journal(folder_.path(), session_, MakeRow(first, 3, incarnation), max_rows);
    for (std::int64_t i = first; i <= last; ++i) journal.Write(MakeRow(i, 3, incarnation));
  }
  std::filesystem::path Only() const {
    const auto files = FindSpoolJournals(folder_.path(), core::ActorId(3));
    EXPECT_EQ(files.size(), 1u);
    return files.at(0);
  }
  void ExpectRows(std::int64_t first, std::int64_t last) const {
    const auto rows = ReadSpoolJournal(Only());
    ASSERT_EQ(std::ssize(rows), last - first + 1);
    for (std::int64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(testing::SameRow(rows[static_cast<std::size_t>(i - first)], MakeRow(i, 3, 2)));
    }
  }

  testing::TempFolder folder_;
  SharedSession session_ =
      std::make_shared<Session>(core::RunId(7), core::Epoch(1), core::Incarnation(2));
};

TEST_F(SpoolJournalTest, GivesBackTheRowsUnchanged) {
  Write(2, 1, 20, 32);

  ExpectRows(1, 20);
}

TEST_F(SpoolJournalTest, KeepsAsManyOfTheNewestRowsAsTheSpoolMayHold) {
  Write(2, 1, 100, 32);
  const auto size = std::filesystem::file_size(Only());

  ExpectRows(69, 100);
  Write(2, 1, 10'000, 32);
  EXPECT_NEAR(
      static_cast<double>(std::filesystem::file_size(Only())), static_cast<double>(size), 1);
  ExpectRows(9969, 10'000);
}

// It took the place of row 69, which was acknowledged.
TEST_F(SpoolJournalTest, LeavesOutARowThatWasTornByTheKill) {
  Write(2, 1, 100, 32);
  const auto slot_bytes = std::filesystem::file_size(Only()) / 33;
  {
    std::fstream file(Only(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(slot_bytes * (1 + 69 % 32) + 80));
    file.put('\x55');
  }

  ExpectRows(70, 100);
}

TEST_F(SpoolJournalTest, RowsBeforeAGapAreNotGivenAsIfTheyWereTheNewest) {
  Write(2, 1, 20, 32);
  const auto slot_bytes = std::filesystem::file_size(Only()) / 33;
  {
    std::fstream file(Only(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(slot_bytes * (1 + 10) + 80));
    file.put('\x55');
  }

  ExpectRows(11, 20);
}

TEST_F(SpoolJournalTest, FindsTheLivesOfOneActorTheOldestFirst) {
  EXPECT_TRUE(FindSpoolJournals(folder_ / "nowhere", core::ActorId(3)).empty());
  for (const std::int64_t life : {100, 20, 3}) Write(life, 1, 1, 32);
  const SpoolJournal other(folder_.path(), session_, MakeRow(1, 33), 32);

  std::vector<std::int64_t> lives;
  for (const auto& file : FindSpoolJournals(folder_.path(), core::ActorId(3))) {
    lives.push_back(ReadSpoolJournal(file).at(0).incarnation.value);
  }

  EXPECT_EQ(lives, (std::vector<std::int64_t>{3, 20, 100}));
}

// `londi train --resume` with a newer londi deleted them without a word.
TEST_F(SpoolJournalTest, RowsOfAnotherVersionOfLondiAreRefusedAndKept) {
  Write(2, 1, 20, 32);
  std::string bytes = BytesOf(Only());
  char* message = bytes.data() + 2 * (bytes.size() / 33) + sizeof(std::uint32_t);  // Row 1.
  message[4] ^= 1;                                                                 // Its version.
  std::uint32_t size = 0;
  std::memcpy(&size, message - sizeof(size), sizeof(size));
  const auto all = std::as_bytes(std::span(message, size));
  const std::uint32_t crc = Crc32c(all.subspan(kFrameHeaderBytes), Crc32c(all.first(36)));
  std::memcpy(message + 36, &crc, sizeof(crc));
  std::ofstream(Only(), std::ios::binary) << bytes;

  EXPECT_THROW((void)ReadSpoolJournal(Only()), core::ProtocolError);

  EXPECT_EQ(BytesOf(SetAsideSpoolJournal(Only())), bytes);
  EXPECT_TRUE(FindSpoolJournals(folder_.path(), core::ActorId(3)).empty());
}

TEST_F(SpoolJournalTest, OneThatWasNotEvenBegunHasNoRows) {
  std::ofstream(folder_ / "actor-3-1.rows") << "";
  EXPECT_TRUE(ReadSpoolJournal(Only()).empty());
}

TEST_F(SpoolJournalTest, SaysSoWhenTheDiskHasNoRoomAndLeavesNothing) {
  const testing::FileSizeLimit limit(1000);

  EXPECT_THROW(Write(2, 1, 1, 32), core::NoRoomError);
  EXPECT_TRUE(FindSpoolJournals(folder_.path(), core::ActorId(3)).empty());
}

// It has its room, but no leave to use it.
TEST_F(SpoolJournalTest, ALimitThatComesLaterIsNoRoomAndHarmsNoOtherRow) {
  SpoolJournal journal(folder_.path(), session_, MakeRow(1, 3, 2), 32);
  journal.Write(MakeRow(1, 3, 2));
  const auto slot_bytes = std::filesystem::file_size(Only()) / 33;
  {
    const testing::FileSizeLimit limit(3 * slot_bytes + 20);  // Row 2 begins before and ends after.
    EXPECT_THROW(journal.Write(MakeRow(2, 3, 2)), core::NoRoomError);
  }
  ExpectRows(1, 1);

  journal.Write(MakeRow(2, 3, 2));

  ExpectRows(1, 2);
}

TEST_F(SpoolJournalTest, RefusesARowThatIsLongerThanItsSlot) {
  SpoolJournal journal(folder_.path(), session_, MakeRow(1, 3, 2), 32);
  journal.Write(MakeRow(1, 3, 2));

  EXPECT_THROW(journal.Write(MakeRow(2, 3, 2, /*num_features=*/400)), core::IoError);

  ExpectRows(1, 1);
}

}  // namespace
}  // namespace londi::transport
