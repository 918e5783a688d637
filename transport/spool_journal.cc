#include "transport/spool_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/no_room.h"
#include "transport/codec.h"

namespace londi::transport {
namespace {

struct Header {
  char magic[8] = {'L', 'O', 'N', 'D', 'I', 'S', 'P', 'L'};
  std::uint64_t slot_bytes = 0;  // The header has a slot, too.
  std::int64_t run = 0;
};

// Integers of a message are as short as they can be: rows of a stream differ in length by less.
constexpr std::size_t kLeeway = 256;

constexpr const char* kSuffix = ".rows";

[[noreturn]] void Fail(const std::filesystem::path& path, const std::string& doing) {
  core::ThrowIoError(errno,
                     "cannot " + doing + " the spool " + path.string(),
                     "free some disk space and check the run folder's permissions, or set "
                     "transport.spool to memory");
}

[[noreturn]] void ThrowForeign(const std::filesystem::path& file) {
  throw core::ProtocolError({.what = "the rows of the spool " + file.string() + " cannot be read",
                             .why = "another version of londi wrote them",
                             .fix = "resume the run with that version to hand them over"});
}

std::string Prefix(core::ActorId actor) { return "actor-" + std::to_string(actor.value) + "-"; }

std::string FileName(StreamId stream) {
  char life[24];
  std::snprintf(life, sizeof(life), "%020lld", static_cast<long long>(stream.incarnation.value));
  return Prefix(stream.actor) + life + kSuffix;
}

std::string Encode(const Session& session, const core::Transition& row) {
  return EncodeTransitions(session, {{row.actor, row.incarnation}, {row}});
}

void WriteAt(int fd,
             std::size_t offset,
             const std::string& bytes,
             const std::filesystem::path& path) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset));
    if (written < 0) Fail(path, "write");
    offset += static_cast<std::size_t>(written);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

SpoolJournal::SpoolJournal(const std::filesystem::path& folder,
                           SharedSession session,
                           const core::Transition& first,
                           std::int64_t max_rows)
    : session_(std::move(session)),
      path_(folder / FileName({first.actor, first.incarnation})),
      max_rows_(max_rows),
      slot_bytes_(Encode(*session_, first).size() + kLeeway) {
  std::error_code ignored;  // open() below reports what is wrong.
  std::filesystem::create_directories(folder, ignored);
  fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) Fail(path_, "create");
  const Header header{.slot_bytes = slot_bytes_, .run = session_->run().value};
  const auto size = static_cast<off_t>(slot_bytes_) * (1 + max_rows_);
  errno = posix_fallocate(fd_, 0, size);
  const bool has_room = errno == 0;
  if (!has_room) {
    const int error = errno;
    unlink(path_.c_str());
    close(fd_);
    errno = error;
    Fail(path_, "make room for");
  }
  WriteAt(fd_, 0, {reinterpret_cast<const char*>(&header), sizeof(header)}, path_);
}

SpoolJournal::~SpoolJournal() { close(fd_); }

void SpoolJournal::Write(const core::Transition& row) {
  const std::string message = Encode(*session_, row);
  const auto size = static_cast<std::uint32_t>(message.size());
  if (sizeof(size) + size > slot_bytes_) {
    throw core::IoError(
        {.what = "a row of " + std::to_string(size) + " bytes for the spool " + path_.string(),
         .why = "its slots have " + std::to_string(slot_bytes_),
         .fix = "please report it; transport.spool: memory does without"});
  }
  const auto slot = static_cast<std::size_t>(1 + row.sequence.value % max_rows_);
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  WriteAt(fd_, slot * slot_bytes_, bytes += message, path_);
}

void SpoolJournal::Remove() { unlink(path_.c_str()); }

std::vector<std::filesystem::path> FindSpoolJournals(const std::filesystem::path& folder,
                                                     core::ActorId actor) {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(Prefix(actor)) && name.ends_with(kSuffix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<core::Transition> ReadSpoolJournal(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) Fail(file, "read");
  Header header;
  in.read(reinterpret_cast<char*>(&header), sizeof(header));
  if (!in || std::memcmp(header.magic, Header{}.magic, sizeof(header.magic)) != 0) return {};
  std::map<std::int64_t, core::Transition> rows;
  std::string slot(std::min<std::uint64_t>(header.slot_bytes, 1 << 20), '\0');
  for (in.seekg(std::ssize(slot)); in.read(slot.data(), std::ssize(slot));) {
    std::uint32_t size = 0;
    std::memcpy(&size, slot.data(), sizeof(size));
    if (size == 0 || size > slot.size() - sizeof(size)) continue;
    const std::string_view message = std::string_view(slot).substr(sizeof(size), size);
    if (IsForeignFrame(message)) ThrowForeign(file);
    try {
      const Frame frame = DecodeFrame(message, core::RunId(header.run));
      for (core::Transition& row : DecodeTransitions(frame.body).rows) {
        const std::int64_t sequence = row.sequence.value;
        rows.insert_or_assign(sequence, std::move(row));
      }
    } catch (const core::ProtocolError&) {
      continue;  // Torn, in place of a row that was acknowledged.
    }
  }
  std::vector<core::Transition> newest;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (!newest.empty() && row->first + 1 != newest.back().sequence.value) break;
    newest.push_back(std::move(row->second));
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

std::filesystem::path SetAsideSpoolJournal(const std::filesystem::path& file) {
  std::filesystem::path aside = file;
  aside += ".unread";
  std::filesystem::rename(file, aside);
  return aside;
}

}  // namespace londi::transport
