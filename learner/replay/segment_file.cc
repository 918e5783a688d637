#include "learner/replay/segment_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "core/no_room.h"
#include "transport/crc32c.h"

namespace londi::learner {
namespace {

constexpr std::int64_t kPage = 4096;

struct StoredMark {
  std::int64_t actor = 0;
  std::int64_t incarnation = 0;
  std::int64_t sequence = 0;
};

[[noreturn]] void Fail(const std::filesystem::path& path, const std::string& doing, int error) {
  core::ThrowIoError(error,
                     "cannot " + doing + " the log segment " + path.string(),
                     error == ENOSPC ? "free some disk space, or lower learner.replay.capacity"
                                     : "check the folder's permissions and the disk");
}

// A new name is on the disk once its folder is.
void SyncFolder(const std::filesystem::path& path, const DiskCalls& disk) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && disk.sync_all(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!synced) Fail(path, "sync the folder of", error);
}

// The header as bytes with its marks, `crc` filled in.
std::vector<std::byte> Encode(SegmentHeader& header, const std::vector<StoredMark>& marks) {
  const std::size_t mark_bytes = marks.size() * sizeof(StoredMark);
  std::vector<std::byte> bytes(sizeof(header) + mark_bytes);
  header.crc = 0;
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (mark_bytes > 0) std::memcpy(bytes.data() + sizeof(header), marks.data(), mark_bytes);
  header.crc = transport::Crc32c(bytes);
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

// One past the last byte from `first` on, before `last`, that is not zero; else `first`.
std::int64_t EndWithoutZeros(const std::byte* bytes, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kBlock = kPage;
  static constexpr std::byte kZeros[kBlock]{};
  while (last - first >= kBlock && std::memcmp(bytes + last - kBlock, kZeros, kBlock) == 0)
    last -= kBlock;
  while (last > first && bytes[last - 1] == std::byte{0}) --last;
  return last;
}

bool IsWhole(const SegmentHeader& header, const std::byte* base, std::int64_t size) {
  const std::int64_t used = static_cast<std::int64_t>(sizeof(header)) +
                            header.num_marks * static_cast<std::int64_t>(sizeof(StoredMark));
  if (header.header_bytes > size || used > header.header_bytes ||
      header.row_stride < sizeof(StoredRow) || header.rows_per_segment <= 0 ||
      header.first_row < 0) {
    return false;
  }
  std::vector<std::byte> bytes(base, base + used);
  SegmentHeader zeroed = header;
  zeroed.crc = 0;
  std::memcpy(bytes.data(), &zeroed, sizeof(zeroed));
  return transport::Crc32c(bytes) == header.crc;
}

}  // namespace

std::unique_ptr<SegmentFile> SegmentFile::Create(const std::filesystem::path& path,
                                                 SegmentHeader header,
                                                 const transport::StreamWatermarks::Snapshot& marks,
                                                 bool synced,
                                                 const DiskCalls& disk) {
  std::vector<StoredMark> stored;
  for (const auto& [stream, through] : marks) {
    stored.push_back({stream.actor.value, stream.incarnation.value, through.value});
  }
  const auto used = static_cast<std::int64_t>(sizeof(header) + stored.size() * sizeof(StoredMark));
  header.header_bytes = static_cast<std::uint32_t>((used + kPage - 1) / kPage * kPage);
  header.num_marks = static_cast<std::uint32_t>(stored.size());
  const std::vector<std::byte> bytes = Encode(header, stored);

  // Under another name first: a segment has a whole header or does not exist.
  const std::filesystem::path unfinished = path.string() + ".tmp";
  const int fd = open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) Fail(path, "create", errno);
  std::unique_ptr<SegmentFile> file(new SegmentFile(path, fd, disk));
  try {
    file->Allocate(header.header_bytes + header.rows_per_segment * header.row_stride);
    file->Map();
    file->WriteAt(0, bytes);
    file->header_ = header;
    if (synced && disk.sync_all(fd) != 0) Fail(path, "write", errno);
    if (rename(unfinished.c_str(), path.c_str()) != 0) Fail(path, "rename", errno);
  } catch (const core::IoError&) {
    unlink(unfinished.c_str());  // What it got of the last room is wanted elsewhere.
    throw;
  }
  if (synced) SyncFolder(path.parent_path(), disk);
  return file;
}

void SegmentFile::SyncNew(const std::filesystem::path& path, const DiskCalls& disk) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return;  // Dropped meanwhile.
  const bool synced = fd >= 0 && disk.sync_all(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (!synced) Fail(path, "sync", error);
  SyncFolder(path.parent_path(), disk);
}

std::unique_ptr<SegmentFile> SegmentFile::OpenMapped(const std::filesystem::path& path,
                                                     const DiskCalls& disk) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) Fail(path, "open", errno);
  std::unique_ptr<SegmentFile> file(new SegmentFile(path, fd, disk));
  file->Map();
  return file;
}

SegmentFile::HeaderState SegmentFile::Examine(const std::filesystem::path& path,
                                              const DiskCalls& disk) {
  const std::unique_ptr<SegmentFile> file = OpenMapped(path, disk);
  if (file->ReadHeader()) return HeaderState::kWhole;
  const bool is_blank = std::all_of(
      file->base_, file->base_ + file->size_, [](std::byte byte) { return byte == std::byte{0}; });
  return is_blank ? HeaderState::kBlank : HeaderState::kTorn;
}

std::unique_ptr<SegmentFile> SegmentFile::Open(const std::filesystem::path& path,
                                               const DiskCalls& disk) {
  std::unique_ptr<SegmentFile> file = OpenMapped(path, disk);
  if (file->ReadHeader()) return file;
  throw core::IoError({.what = path.string() + " has no whole header of a log segment",
                       .why = "it is damaged, or another kind of file",
                       .fix = "restore it, or move it and all later segments away; what is no "
                              "segment may be moved alone"});
}

// Whether the file has a whole header. Throws core::ModelError for one of another layout version.
bool SegmentFile::ReadHeader() {
  if (size_ < static_cast<std::int64_t>(sizeof(SegmentHeader))) return false;
  std::memcpy(&header_, base_, sizeof(SegmentHeader));
  if (std::memcmp(header_.magic, SegmentHeader{}.magic, sizeof(header_.magic)) != 0) return false;
  const std::uint32_t version = header_.layout_version;
  if (version != kRowLayoutVersion && version != 0) {  // There never was a 0: it is missing.
    throw core::ModelError({.what = path_.string() + " has row layout " + std::to_string(version),
                            .why = "this program reads layout " + std::to_string(kRowLayoutVersion),
                            .fix = "go on with the version of londi that wrote it, or start a new "
                                   "run folder"});
  }
  return IsWhole(header_, base_, size_);
}

SegmentFile::~SegmentFile() {
  Unmap();
  close(fd_);
}

transport::StreamWatermarks::Snapshot SegmentFile::Marks() const {
  transport::StreamWatermarks::Snapshot marks;
  for (std::uint32_t i = 0; i < header_.num_marks; ++i) {
    StoredMark mark;
    std::memcpy(&mark, base_ + sizeof(SegmentHeader) + i * sizeof(StoredMark), sizeof(mark));
    marks.push_back({{core::ActorId(mark.actor), core::Incarnation(mark.incarnation)},
                     core::Sequence(mark.sequence)});
  }
  return marks;
}

std::int64_t SegmentFile::CutAndExtend(std::int64_t keep, std::int64_t extend) {
  const std::int64_t cut = EndWithoutZeros(rows(), keep, mapped_row_bytes()) - keep;
  // In place: room that was given up might not be had again. A copy may have holes.
  Allocate(header_.header_bytes + extend);
  if (mapped_row_bytes() < extend) {
    Unmap();
    Map();
  }
  if (cut > 0) {
    Write(keep, std::vector<std::byte>(static_cast<std::size_t>(cut)));
    Sync();
  }
  return cut;
}

void SegmentFile::Write(std::int64_t offset, std::span<const std::byte> bytes) {
  WriteAt(header_.header_bytes + offset, bytes);
}

// Writing costs less than storing to the mapping, which faults at every page.
void SegmentFile::WriteAt(std::int64_t position, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = disk_.write(fd_, bytes.data(), bytes.size(), position);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EFBIG) {
      // A limit on the size of files that came later. The file has its room: this always works.
      std::memcpy(base_ + position, bytes.data(), bytes.size());
      return;
    }
    if (written < 0) Fail(path_, "write", errno);
    position += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// Never core::NoRoomError: the room was there, and a second sync would not tell what the first
// lost.
void SegmentFile::Sync() const {
  if (disk_.sync_data(fd_) == 0) return;
  throw core::IoError({.what = "cannot sync the log segment " + path_.string(),
                       .why = std::strerror(errno),
                       .fix = "check the disk"});
}

bool SegmentFile::HasBlankPage(std::int64_t offset, std::int64_t size) const {
  const std::int64_t end = header_.header_bytes + offset + size;
  if (end > size_) return false;
  for (std::int64_t from = header_.header_bytes + offset, to; from < end; from = to) {
    to = std::min(end, (from / kPage + 1) * kPage);
    if (EndWithoutZeros(base_, from, to) == from) return true;
  }
  return false;
}

void SegmentFile::Map() {
  struct stat info {};
  if (fstat(fd_, &info) != 0) Fail(path_, "examine", errno);
  size_ = info.st_size;
  if (size_ == 0) return;
  void* mapped =
      mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (mapped == MAP_FAILED) Fail(path_, "map", errno);
  base_ = static_cast<std::byte*>(mapped);
}

void SegmentFile::Unmap() {
  if (base_ != nullptr) munmap(base_, static_cast<std::size_t>(size_));
  base_ = nullptr;
}

void SegmentFile::Allocate(std::int64_t bytes) {
  if (const int error = disk_.allocate(fd_, bytes); error != 0) Fail(path_, "allocate", error);
}

}  // namespace londi::learner
