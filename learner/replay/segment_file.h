#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "learner/replay/disk_calls.h"
#include "learner/replay/stored_row.h"
#include "transport/stream_watermarks.h"

namespace londi::learner {

// What a segment file begins with; the watermarks of all streams follow it.
struct SegmentHeader {
  char magic[8] = {'L', 'O', 'N', 'D', 'I', 'L', 'O', 'G'};
  std::uint32_t layout_version = kRowLayoutVersion;
  std::uint32_t header_bytes = 0;  // Where the rows begin.
  std::uint32_t num_features = 0;
  std::uint32_t row_stride = 0;  // Bytes from row to row.
  std::int64_t rows_per_segment = 0;
  std::int64_t first_row = 0;
  std::uint32_t num_marks = 0;
  std::uint32_t crc = 0;  // CRC-32C of header and watermarks, with this field 0.
};
static_assert(sizeof(SegmentHeader) == 48);

// One mapped file of a SegmentLog. It has all of its room before a row is written, so a full disk
// is an error here (core::NoRoomError) and no SIGBUS there.
class SegmentFile {
 public:
  // Completes `header` (header_bytes, num_marks, crc). The file and its name survive the loss of
  // the machine if `synced`. Throws core::IoError. `disk` outlives the file.
  static std::unique_ptr<SegmentFile> Create(const std::filesystem::path& path,
                                             SegmentHeader header,
                                             const transport::StreamWatermarks::Snapshot& marks,
                                             bool synced,
                                             const DiskCalls& disk);
  // For one that was created without: the file at `path`, if it is still there, and its name
  // survive the loss of the machine from now on. Throws core::IoError.
  static void SyncNew(const std::filesystem::path& path, const DiskCalls& disk);
  enum class HeaderState : std::uint8_t {
    kWhole,
    kTorn,   // It, or a part of it, is missing or something else.
    kBlank,  // As kTorn, and nothing but zeros was ever in the file: no row either.
  };
  // Throws core::IoError when the file cannot be read, core::ModelError for another layout version.
  static HeaderState Examine(const std::filesystem::path& path, const DiskCalls& disk);
  // Throws core::IoError, also without a whole header; core::ModelError for another layout version.
  static std::unique_ptr<SegmentFile> Open(const std::filesystem::path& path,
                                           const DiskCalls& disk);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const SegmentHeader& header() const { return header_; }
  transport::StreamWatermarks::Snapshot Marks() const;  // Of all streams, before first_row.

  const std::byte* rows() const { return base_ + header_.header_bytes; }
  std::int64_t mapped_row_bytes() const { return size_ - header_.header_bytes; }

  // Whether those bytes of rows() lie in the file and are zeros in one of the pages that they
  // touch: what the disk never got of a segment reads as zeros.
  bool HasBlankPage(std::int64_t offset, std::int64_t size) const;

  // Writes at rows() + offset, within the mapping, where the kernel has it when this returns.
  // Throws core::IoError.
  void Write(std::int64_t offset, std::span<const std::byte> bytes);

  // Keeps `keep` bytes of rows, makes the rest up to `extend` zeros with room on the disk. Returns
  // how many bytes of something else were there. Throws core::IoError.
  std::int64_t CutAndExtend(std::int64_t keep, std::int64_t extend);

  void Sync() const;  // What was written is on the disk. Throws core::IoError.

 private:
  SegmentFile(std::filesystem::path path, int fd, const DiskCalls& disk)
      : path_(std::move(path)), fd_(fd), disk_(disk) {}
  static std::unique_ptr<SegmentFile> OpenMapped(const std::filesystem::path& path,
                                                 const DiskCalls& disk);
  bool ReadHeader();
  void Map();
  void Unmap();
  void Allocate(std::int64_t bytes);
  void WriteAt(std::int64_t position, std::span<const std::byte> bytes);

  std::filesystem::path path_;
  int fd_;
  const DiskCalls& disk_;
  std::byte* base_ = nullptr;
  std::int64_t size_ = 0;
  SegmentHeader header_;
};

}  // namespace londi::learner
