#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/transition.h"
#include "learner/replay/disk_calls.h"
#include "learner/replay/stored_row.h"
#include "learner/replay/write_behind.h"
#include "transport/stream_watermarks.h"

namespace londi::learner {

class SegmentFile;

// Where rows are when Commit returns.
enum class Durability : std::uint8_t {
  kPageCache,  // With the kernel: they survive the process.
  kDisk,       // Synced to the disk: they survive the machine.
};

struct SegmentLogOptions {
  std::int64_t segment_bytes =
      64 << 20;  // Size of a file; 1 MiB .. 4 GiB. Files that are already there keep theirs.
  Durability durability = Durability::kPageCache;
  void Validate() const;  // Throws core::ConfigError.
};

// Append-only log of transitions; it *is* the replay's storage. Rows are numbered 0, 1, 2, ... in
// order of arrival and have a fixed size, so a row's address is arithmetic. Files "segment-<first
// row>.log" in one folder:
//
//   header (4 KiB or more): layout, num_features, rows per segment, first row, watermarks of all
//   streams so far, crc rows: StoredRow + fp16 features, each with its crc
//
// Appended rows are collected and handed to the kernel many at a time, at Commit or before. A full
// buffer is written by a thread of its own while Append fills the other one; small groups never
// fill one. What the kernel has of a killed process is there after a restart (page cache).
// Committed rows also survive the machine with Durability::kDisk; one Commit covers any number of
// Appends. Opening verifies the crcs of all headers and of the rows of the last two segments, which
// say how far each stream is: what comes can be taken at once, however long the log is. VerifyOlder
// does the rest. A torn tail is cut off at the first row that is not whole; what is left is
// committed. What the loss of the machine may leave is set aside ("*.aside"): a last segment
// without a whole header, with kDisk only if nothing was ever in it, since rows are acknowledged
// after the header is synced; with kPageCache also segments behind one whose last rows the disk
// never got, which is cut there. Duplicates are refused by the watermark of their stream, which the
// log itself yields.
//
// Threads: one appends (Append, Commit, watermarks), one reads (row, features, DropBefore,
// VerifyOlder); end()
// and WaitForRows from any. The reader sees rows below end() whole: all that the kernel has.
class SegmentLog {
 public:
  // Opens or creates. Throws core::IoError (folder, disk full, damage that is not a torn tail, as
  // far as it is looked for), core::ModelError for another layout version.
  SegmentLog(std::filesystem::path folder, SegmentLogOptions options, DiskCalls disk = {});
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  struct Appended {
    std::int64_t rows = 0;        // Taken.
    std::int64_t duplicates = 0;  // Refused: at or below their stream's watermark.
    // The disk has no room for the rows that come after these; nothing of them was taken.
    std::optional<core::ErrorText> no_room;
  };
  // Once, before rows are read that were there when the log was opened. Throws core::IoError where
  // one is damaged. `getting_on` is called again and again meanwhile.
  void VerifyOlder(const std::function<void()>& getting_on = [] {});

  // Groups of rows are cheap. Throws core::ModelError when the number of features is not that of
  // the log (the first row decides), core::IoError when the disk refuses.
  Appended Append(std::span<const core::Transition> rows);

  // Makes all appended rows durable and visible; they may be acknowledged then. Throws
  // core::IoError.
  void Commit();

  std::int64_t begin() const {
    return begin_.load(std::memory_order_acquire);
  }  // Oldest row that is kept.
  std::int64_t end() const { return end_.load(std::memory_order_acquire); }  // One past the newest.
  int num_features() const {
    return num_features_.load(std::memory_order_acquire);
  }  // 0 = no row yet.

  // begin() <= number < end().
  const StoredRow& row(std::int64_t number) const {
    return *reinterpret_cast<const StoredRow*>(Address(number));
  }
  std::span<const std::uint16_t> features(std::int64_t number) const;
  core::Transition transition(std::int64_t number) const;
  // Tells the memory that the first `bytes` of the row will be read soon: rows lie anywhere in a
  // gigabyte, and fetching several at once hides most of the wait.
  void Prefetch(std::int64_t number, std::size_t bytes) const;

  // Blocks until end() > number or `deadline`; true: there are such rows.
  bool WaitForRows(std::int64_t number, core::TimePoint deadline) const;

  // How far each stream is in the log: what the transport restores from.
  transport::StreamWatermarks::Snapshot watermarks() const { return marks_.StoredMarks(); }

  // Deletes the segments that end at or before `number` and are committed.
  void DropBefore(std::int64_t number);

  struct Segment {
    std::string file;
    std::int64_t first_row = 0;
    std::int64_t rows = 0;
  };
  std::vector<Segment> Manifest() const;  // Oldest first; reader's thread.

  // Bytes cut off when the log was opened; 0 = the last process ended between two rows.
  std::int64_t cut_bytes() const { return cut_bytes_; }

  // The segments that were set aside when the log was opened, newest first, and why.
  const std::vector<core::ErrorText>& set_aside() const { return set_aside_; }

 private:
  static constexpr std::int64_t kMaxSegments = 1 << 16;

  void OpenExisting();
  bool IsUnfinished(const std::filesystem::path& path) const;
  bool LostItsEnd(const SegmentFile& file) const;
  void SetAside(const std::filesystem::path& path, std::string why);
  void RequireItFollows(const SegmentFile& file) const;
  void RequireFull(const SegmentFile& file, std::int64_t rows) const;
  std::int64_t CountWholeRowsOf(const SegmentFile& file) const;
  void ScanSegment(SegmentFile& file, bool is_last);
  void Mark(transport::StreamId stream, core::Sequence first, std::int64_t rows);
  void AddSegment(std::unique_ptr<SegmentFile> file);
  void StartSegment();
  void SyncInBackground(const std::filesystem::path& segment);
  void FinishSyncing();
  void AppendRow(const core::Transition& row);
  void CheckFeatures(int num_features);
  std::int64_t next_row() const { return end() + num_writing_ + num_staged_; }
  void StartWriting();
  void FinishWriting();
  void WriteOut();
  std::span<std::byte> staged_rows() {
    return std::span(staged_).first(static_cast<std::size_t>(num_staged_ * stride_));
  }
  void WriteRows(const std::vector<std::byte>& rows, std::int64_t count) const;
  void MakeVisible(std::int64_t rows);
  const std::byte* Address(std::int64_t number) const;

  const std::filesystem::path folder_;
  const SegmentLogOptions options_;
  const DiskCalls disk_;

  // Set when num_features becomes known, before any row is visible.
  std::atomic<int> num_features_ = 0;
  std::int64_t stride_ = 0;
  std::int64_t rows_per_segment_ = 0;

  struct DeleteFiles {  // Also when the constructor throws.
    void operator()(std::atomic<SegmentFile*>* files) const;
  };
  std::unique_ptr<std::atomic<SegmentFile*>[], DeleteFiles>
      files_;  // By row / rows_per_segment; nullptr = not there (any more).
  std::atomic<std::int64_t> begin_ = 0;
  std::atomic<std::int64_t> end_ = 0;
  std::int64_t verified_from_ = 0;           // Rows before it wait for VerifyOlder.
  std::atomic<std::int64_t> committed_ = 0;  // Rows below it need no sync any more.
  transport::StreamWatermarks marks_;
  std::int64_t cut_bytes_ = 0;
  std::vector<core::ErrorText> set_aside_;
  // Rows from end() on, of one segment: first those that the writer has, then the staged ones,
  // whose crcs are missing.
  std::vector<std::byte> writing_, staged_;
  std::int64_t num_writing_ = 0, num_staged_ = 0;
  bool is_written_ = false;  // By the writer, of the rows it was given last.

  mutable std::mutex wait_mutex_;
  mutable std::condition_variable appended_;

  std::exception_ptr sync_failure_;  // Of the newest segment, once syncer_ is done with it.
  // Last: they stop first.
  WriteBehind syncer_{"learn.sync"};
  WriteBehind writer_{"learn.write"};  // Of writing_.
};

// Gives `to`, an empty folder, the rows of the log in `from`, which may be growing: full segments
// are never written again and become second links to the same files where the file system allows
// it, the newest is copied. Throws core::IoError, also when there is no segment.
void CopySegments(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace londi::learner
