#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/transition.h"
#include "transport/session.h"
#include "transport/stream_watermarks.h"

namespace londi::transport {

// The rows of one stream that its sink still answers for, in a file: what a killed process had
// pushed is there for the next one. Not thread-safe.
//
// A ring of slots of one size, each a message of one row as it would travel (its CRC included). Row
// n lies in slot n mod max_rows: a spool holds at most that many rows without an acknowledgement,
// so only acknowledged ones are overwritten. The file has all of its room from the beginning.
class SpoolJournal {
 public:
  // Makes the file of `first`'s stream in `folder`; rows are about as long as `first`. Throws
  // core::IoError, core::NoRoomError.
  SpoolJournal(const std::filesystem::path& folder,
               SharedSession session,
               const core::Transition& first,
               std::int64_t max_rows);
  ~SpoolJournal();
  SpoolJournal(const SpoolJournal&) = delete;
  SpoolJournal& operator=(const SpoolJournal&) = delete;

  // The row survives this process when this returns. Throws core::IoError.
  void Write(const core::Transition& row);

  // Every row was acknowledged: the file is not needed any more.
  void Remove();

 private:
  const SharedSession session_;
  const std::filesystem::path path_;
  const std::int64_t max_rows_;
  std::size_t slot_bytes_ = 0;
  int fd_ = -1;
};

// Journals of earlier lives of `actor`, oldest life first.
std::vector<std::filesystem::path> FindSpoolJournals(const std::filesystem::path& folder,
                                                     core::ActorId actor);

// The newest rows of a journal without a gap between them, oldest first: all that were not
// acknowledged, and some that were. Empty: no row was written whole. Throws core::IoError when the
// file cannot be read, core::ProtocolError when another version of londi wrote its rows.
std::vector<core::Transition> ReadSpoolJournal(const std::filesystem::path& file);

// Renames a journal so that nobody finds it again, and nothing is lost. Returns the new name.
std::filesystem::path SetAsideSpoolJournal(const std::filesystem::path& file);

}  // namespace londi::transport
