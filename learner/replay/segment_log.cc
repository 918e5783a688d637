#include "learner/replay/segment_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/no_room.h"
#include "learner/replay/segment_file.h"

namespace londi::learner {
namespace {

constexpr std::size_t kCacheLine = 64;
// Rows are written so many bytes at a time: few calls and large pages in the kernel's cache, yet
// all of it still in the processor's.
constexpr std::int64_t kStagedBytes = 1 << 20;
constexpr std::size_t kScannedSegments = 2;  // The newest; by opening.
constexpr const char* kSegmentExtension = ".log";

std::string SegmentName(std::int64_t first_row) {
  char name[48];
  std::snprintf(name,
                sizeof(name),
                "segment-%015lld%s",
                static_cast<long long>(first_row),
                kSegmentExtension);
  return name;
}

// `row`: the first that is missing.
[[noreturn]] void ThrowDamaged(const SegmentFile& file, std::int64_t row) {
  throw core::IoError(
      {.what = "the transition log is damaged at row " + std::to_string(row),
       .why = file.path().string() + " is incomplete or missing rows, though later segments exist",
       .fix = "restore the file, or move it and all later segments of the folder away: the rows "
              "before it stay usable"});
}

bool IsSegmentName(const std::string& name) {
  constexpr std::size_t kPrefix = sizeof("segment-") - 1;
  return name.size() > kPrefix && SegmentName(std::atoll(name.c_str() + kPrefix)) == name;
}

}  // namespace

void SegmentLogOptions::Validate() const {
  if (segment_bytes < (1LL << 20) || segment_bytes > (4LL << 30)) {
    throw core::ConfigError(
        {.what = "transition_log.segment_bytes is " + std::to_string(segment_bytes),
         .why = "a segment is one mapped file; very small and very large ones are impractical",
         .fix = "set it between 1 MiB (1048576) and 4 GiB (4294967296)"});
  }
}

SegmentLog::SegmentLog(std::filesystem::path folder, SegmentLogOptions options, DiskCalls disk)
    : folder_(std::move(folder)),
      options_(options),
      disk_(std::move(disk)),
      files_(new std::atomic<SegmentFile*>[kMaxSegments] {}) {
  options_.Validate();
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    throw core::IoError({.what = "the folder " + folder_.string() + " cannot be made",
                         .why = error.message(),
                         .fix = "choose a folder that you may write to"});
  }
  OpenExisting();
  // What a killed process appended and did not commit counts as stored from now on.
  committed_ = begin();
  Commit();
}

SegmentLog::~SegmentLog() {
  try {
    WriteOut();
  } catch (const core::IoError&) {
    // Nobody was told that these rows are stored.
  }
}

void SegmentLog::DeleteFiles::operator()(std::atomic<SegmentFile*>* files) const {
  for (std::int64_t i = 0; i < kMaxSegments; ++i) delete files[i].load(std::memory_order_relaxed);
  delete[] files;
}

void SegmentLog::OpenExisting() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() == ".tmp") {
      std::filesystem::remove(entry.path());  // The process was killed while it made a segment.
    } else if (entry.path().extension() == kSegmentExtension) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());  // Numbers have leading zeros.
  if (!paths.empty() && IsUnfinished(paths.back())) {
    SetAside(paths.back(),
             "it has no whole header: the machine died before the disk had it, and no row in it "
             "can be trusted");
    paths.pop_back();
  }
  std::vector<std::unique_ptr<SegmentFile>> found;
  for (const auto& path : paths) found.push_back(SegmentFile::Open(path, disk_));
  if (found.empty()) return;
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a->header().first_row < b->header().first_row;
  });
  const SegmentHeader& first = found.front()->header();
  stride_ = first.row_stride;
  rows_per_segment_ = first.rows_per_segment;
  num_features_ = static_cast<int>(first.num_features);
  begin_ = end_ = first.first_row;
  while (found.size() > 1 && LostItsEnd(*found[found.size() - 2])) {
    SetAside(found.back()->path(),
             "rows before it are missing: the machine died before the disk had them");
    found.pop_back();
  }
  const std::filesystem::path last = found.back()->path();
  // A header knows all streams up to its first row, but for the message whose rows it was begun
  // among: the end of that lies in the segment itself, if it is full.
  const std::size_t scanned = found.size() - std::min(found.size(), kScannedSegments);
  for (std::size_t i = 0; i < found.size(); ++i) {
    RequireItFollows(*found[i]);
    if (i == scanned) marks_.Restore(found[i]->Marks());
    if (i < scanned) {
      RequireFull(*found[i], found[i]->mapped_row_bytes() / stride_);
      verified_from_ = end_ = end() + rows_per_segment_;
    } else {
      ScanSegment(*found[i], /*is_last=*/i + 1 == found.size());
    }
    AddSegment(std::move(found[i]));
  }
  // The life that began the last one may have been killed before it synced it.
  if (options_.durability == Durability::kDisk) {
    SegmentFile::SyncNew(last, disk_);
  } else {
    SyncInBackground(last);
  }
}

// Only the last segment can lack its header when the machine dies: the next one is begun after it
// was synced.
bool SegmentLog::IsUnfinished(const std::filesystem::path& path) const {
  if (!IsSegmentName(path.filename())) return false;
  const SegmentFile::HeaderState state = SegmentFile::Examine(path, disk_);
  return state == SegmentFile::HeaderState::kBlank ||
         (state == SegmentFile::HeaderState::kTorn &&
          options_.durability == Durability::kPageCache);
}

// Whether rows of a segment that was full are missing because the machine died before the disk had
// them, and not by damage. With kDisk the next segment was begun after it had.
bool SegmentLog::LostItsEnd(const SegmentFile& file) const {
  if (options_.durability == Durability::kDisk) return false;
  const std::int64_t rows = CountWholeRowsOf(file);
  return rows < rows_per_segment_ && file.HasBlankPage(rows * stride_, stride_);
}

void SegmentLog::SetAside(const std::filesystem::path& path, std::string why) {
  const std::filesystem::path aside = path.string() + ".aside";
  std::error_code error;
  std::filesystem::rename(path, aside, error);
  if (error) {
    throw core::IoError({.what = path.string() + " cannot be set aside",
                         .why = why + "; renaming it: " + error.message(),
                         .fix = "move it out of the log's folder"});
  }
  set_aside_.push_back({.what = path.string() + " was set aside as " + aside.filename().string(),
                        .why = std::move(why),
                        .fix = "nothing needs to be done; the file may be deleted"});
}

void SegmentLog::RequireItFollows(const SegmentFile& file) const {
  const SegmentHeader& header = file.header();
  if (header.first_row == end() && header.row_stride == stride_ &&
      header.rows_per_segment == rows_per_segment_) {
    return;
  }
  ThrowDamaged(file, end());
}

void SegmentLog::RequireFull(const SegmentFile& file, std::int64_t rows) const {
  if (rows < rows_per_segment_) ThrowDamaged(file, file.header().first_row + rows);
}

std::int64_t SegmentLog::CountWholeRowsOf(const SegmentFile& file) const {
  const std::int64_t stored = std::min(rows_per_segment_, file.mapped_row_bytes() / stride_);
  return CountWholeRows(
      {file.rows(), static_cast<std::size_t>(stored * stride_)}, stride_, file.header().first_row);
}

void SegmentLog::VerifyOlder(const std::function<void()>& getting_on) {
  for (std::int64_t first = begin(); first < verified_from_; first += rows_per_segment_) {
    const SegmentFile& file = *files_[first / rows_per_segment_].load(std::memory_order_acquire);
    RequireFull(file, CountWholeRowsOf(file));
    getting_on();
  }
  verified_from_ = 0;
}

// Finds the rows of a segment, advances end_ and the watermarks, and cuts a torn tail off the last
// segment.
void SegmentLog::ScanSegment(SegmentFile& file, bool is_last) {
  const std::int64_t rows = CountWholeRowsOf(file);
  if (!is_last) RequireFull(file, rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    StoredRow row;
    std::memcpy(&row, file.rows() + i * stride_, sizeof(row));
    Mark({core::ActorId(row.actor), core::Incarnation(row.incarnation)},
         core::Sequence(row.sequence),
         1);
  }
  if (is_last) cut_bytes_ = file.CutAndExtend(rows * stride_, rows_per_segment_ * stride_);
  end_ = end() + rows;
}

void SegmentLog::Mark(transport::StreamId stream, core::Sequence first, std::int64_t rows) {
  marks_.SkipTo(stream, first);
  (void)marks_.Admit(stream, first, rows);
  marks_.MarkStored(stream, core::Sequence(first.value + rows - 1));
}

void SegmentLog::AddSegment(std::unique_ptr<SegmentFile> file) {
  const std::int64_t index = file->header().first_row / rows_per_segment_;
  if (index >= kMaxSegments) {
    throw core::IoError(
        {.what = "the transition log has " + std::to_string(index) + " segments",
         .why = "this is the highest number of segments of one log",
         .fix = "raise transition_log.segment_bytes and start with an empty log folder"});
  }
  files_[index].store(file.release(), std::memory_order_release);
}

void SegmentLog::StartSegment() {
  SegmentHeader header;
  header.num_features = static_cast<std::uint32_t>(num_features_.load());
  header.row_stride = static_cast<std::uint32_t>(stride_);
  header.rows_per_segment = rows_per_segment_;
  header.first_row = next_row();
  const std::filesystem::path path = folder_ / SegmentName(header.first_row);
  const bool synced = options_.durability == Durability::kDisk;
  FinishSyncing();
  if (synced) Commit();  // A segment is whole on the disk before the next one is there.
  AddSegment(SegmentFile::Create(path, header, marks_.StoredMarks(), synced, disk_));
  if (!synced) SyncInBackground(path);
}

// What the page cache loses with the machine should be the last rows and not the file. Rows need
// not wait for it.
void SegmentLog::SyncInBackground(const std::filesystem::path& segment) {
  syncer_.Start([segment, this] {
    try {
      SegmentFile::SyncNew(segment, disk_);
    } catch (...) {
      sync_failure_ = std::current_exception();
    }
  });
}

void SegmentLog::FinishSyncing() {
  syncer_.Wait();
  if (sync_failure_) std::rethrow_exception(std::exchange(sync_failure_, nullptr));
}

SegmentLog::Appended SegmentLog::Append(std::span<const core::Transition> rows) {
  Appended result;
  for (std::size_t i = 0; i < rows.size();) {
    // A run: successive rows of one stream.
    const transport::StreamId stream{rows[i].actor, rows[i].incarnation};
    std::size_t run = 1;
    while (i + run < rows.size() && rows[i + run].actor == stream.actor &&
           rows[i + run].incarnation == stream.incarnation &&
           rows[i + run].sequence.value ==
               rows[i].sequence.value + static_cast<std::int64_t>(run)) {
      ++run;
    }
    const std::int64_t known = marks_.Stored(stream).value - rows[i].sequence.value + 1;
    const auto duplicates = static_cast<std::size_t>(
        std::clamp<std::int64_t>(known, 0, static_cast<std::int64_t>(run)));
    std::size_t done = duplicates;
    try {
      for (; done < run; ++done) AppendRow(rows[i + done]);
    } catch (const core::NoRoomError& error) {
      result.no_room = error.text();
    }
    const auto taken = static_cast<std::int64_t>(done - duplicates);
    if (taken > 0) Mark(stream, rows[i + duplicates].sequence, taken);
    result.duplicates += static_cast<std::int64_t>(duplicates);
    result.rows += taken;
    if (result.no_room) break;
    i += run;
  }
  return result;
}

void SegmentLog::AppendRow(const core::Transition& row) {
  CheckFeatures(static_cast<int>(row.features.size()));
  if (staged_.empty()) {
    staged_.resize(
        static_cast<std::size_t>(std::max<std::int64_t>(kStagedBytes / stride_, 1) * stride_));
  }
  // A segment is whole before the next one is there.
  if (next_row() % rows_per_segment_ == 0) WriteOut();
  if ((num_staged_ + 1) * stride_ > std::ssize(staged_)) StartWriting();
  const std::int64_t number = next_row();
  if (files_[number / rows_per_segment_].load(std::memory_order_relaxed) == nullptr) StartSegment();
  StoreRow(row, number, std::span(staged_).subspan(num_staged_ * stride_, stride_));
  ++num_staged_;
}

// Leaves the staged rows to the writer, once it has done with those before.
void SegmentLog::StartWriting() {
  FinishWriting();
  SealRows(staged_rows(), stride_);
  writing_.resize(staged_.size());
  std::swap(writing_, staged_);
  num_writing_ = std::exchange(num_staged_, 0);
  is_written_ = false;
  writer_.Start([this] {
    try {
      WriteRows(writing_, num_writing_);
      is_written_ = true;
    } catch (const core::IoError&) {
      // Tried again by FinishWriting.
    }
  });
}

// Makes the rows visible that the writer has. What it could not write is tried again here, where
// the error can be told.
void SegmentLog::FinishWriting() {
  writer_.Wait();
  if (num_writing_ == 0) return;
  if (!is_written_) WriteRows(writing_, num_writing_);
  MakeVisible(std::exchange(num_writing_, 0));
}

// Hands all rows to the kernel; the reader sees them from now on.
void SegmentLog::WriteOut() {
  FinishWriting();
  if (num_staged_ == 0) return;
  SealRows(staged_rows(), stride_);
  WriteRows(staged_, num_staged_);
  MakeVisible(std::exchange(num_staged_, 0));
}

// The first of them is row end().
void SegmentLog::WriteRows(const std::vector<std::byte>& rows, std::int64_t count) const {
  files_[end() / rows_per_segment_]
      .load(std::memory_order_relaxed)
      ->Write(end() % rows_per_segment_ * stride_,
              std::span(rows).first(static_cast<std::size_t>(count * stride_)));
}

void SegmentLog::MakeVisible(std::int64_t rows) {
  end_.store(end() + rows, std::memory_order_release);
  std::lock_guard lock(wait_mutex_);
  appended_.notify_all();
}

// The first row decides the log's number of features.
void SegmentLog::CheckFeatures(int num_features) {
  const int known = num_features_.load(std::memory_order_relaxed);
  if (known == num_features) return;
  if (known != 0 || num_features == 0) {
    throw core::ModelError(
        {.what = "a transition has " + std::to_string(num_features) +
                 " features, the log's rows have " + std::to_string(known),
         .why = "QUICK's hidden size or the Switcher's inputs are not those the log was made with",
         .fix = "use the QUICK model the run was started with, or start a new run folder"});
  }
  stride_ = StrideOf(num_features);
  rows_per_segment_ = std::max<std::int64_t>(16, options_.segment_bytes / stride_);
  num_features_.store(num_features, std::memory_order_release);
}

void SegmentLog::Commit() {
  WriteOut();
  const std::int64_t from = committed_;
  const std::int64_t to = end();
  if (options_.durability == Durability::kDisk && from < to) {
    const std::int64_t last = (to - 1) / rows_per_segment_;
    for (std::int64_t index = from / rows_per_segment_; index <= last; ++index) {
      files_[index].load(std::memory_order_relaxed)->Sync();
    }
  }
  committed_ = to;
}

const std::byte* SegmentLog::Address(std::int64_t number) const {
  return files_[number / rows_per_segment_].load(std::memory_order_acquire)->rows() +
         number % rows_per_segment_ * stride_;
}

std::span<const std::uint16_t> SegmentLog::features(std::int64_t number) const {
  return {reinterpret_cast<const std::uint16_t*>(Address(number) + sizeof(StoredRow)),
          static_cast<std::size_t>(num_features())};
}

void SegmentLog::Prefetch(std::int64_t number, std::size_t bytes) const {
  const std::byte* row = Address(number);
  for (std::size_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(row + i);
}

core::Transition SegmentLog::transition(std::int64_t number) const {
  return LoadRow(row(number), features(number));
}

bool SegmentLog::WaitForRows(std::int64_t number, core::TimePoint deadline) const {
  std::unique_lock lock(wait_mutex_);
  return appended_.wait_until(lock, deadline, [&] { return end() > number; });
}

void SegmentLog::DropBefore(std::int64_t number) {
  while (num_features() > 0) {  // The rest is known then: the first row may come just now.
    const std::int64_t first = begin();
    const std::int64_t after = (first / rows_per_segment_ + 1) * rows_per_segment_;
    if (after > number || after > committed_) return;
    begin_.store(after, std::memory_order_release);
    std::unique_ptr<SegmentFile> file(files_[first / rows_per_segment_].exchange(nullptr));
    std::filesystem::remove(file->path());
  }
}

std::vector<SegmentLog::Segment> SegmentLog::Manifest() const {
  std::vector<Segment> segments;
  const std::int64_t stop = end();
  for (std::int64_t first = begin(); first < stop; first += rows_per_segment_) {
    const SegmentFile* file = files_[first / rows_per_segment_].load(std::memory_order_acquire);
    segments.push_back(
        {file->path().filename().string(), first, std::min(rows_per_segment_, stop - first)});
  }
  return segments;
}

void CopySegments(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  std::vector<fs::path> segments;
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kSegmentExtension) segments.push_back(entry->path());
  }
  if (error || segments.empty()) {
    throw core::IoError({.what = "there are no rows in " + from.string(),
                         .why = error ? error.message() : "the folder has no segment of a log",
                         .fix = "name a run that has trained"});
  }
  std::sort(segments.begin(), segments.end());  // Names are numbers of one length.
  for (const fs::path& segment : segments) {
    const fs::path copy = to / segment.filename();
    const bool is_full = segment != segments.back();
    if (is_full) fs::create_hard_link(segment, copy, error);
    if (!is_full || error) fs::copy_file(segment, copy, error);
    if (error) {
      throw core::IoError({.what = "the rows in " + segment.string() + " cannot be copied",
                           .why = error.message(),
                           .fix = "make room for them in " + to.string() + ", or write access"});
    }
  }
}

}  // namespace londi::learner
