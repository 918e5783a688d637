#include "learner/replay/ingest.h"

#include <pthread.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/no_room.h"

namespace londi::learner {
namespace {

// A stream that sent nothing for so long gets no share of the credits; it is granted its share
// again when it sends.
constexpr std::chrono::seconds kQuietAfter{30};

// One commit waits for no more than that: the first row of a group is not acknowledged before.
constexpr std::int64_t kMostRowsPerCommit = 8192;

// Rows of all streams together that may be under way, at least one each. What arrives faster than
// it is written waits in memory, and memory that was not in use before makes rows dearer (0043).
constexpr std::int64_t kMostRowsUnderWay = 32'768;

// A full disk is asked again this often.
constexpr std::chrono::milliseconds kTryForRoomEvery{200};

}  // namespace

void IngestOptions::Validate() const {
  if (max_credits < 1) {
    throw core::ConfigError({.what = "learner.ingest.max_credits is " + std::to_string(max_credits),
                             .why = "an actor without credits never sends a row",
                             .fix = "set it to 1 or more"});
  }
  if (poll.count() < 1 || poll.count() > 1000) {
    throw core::ConfigError(
        {.what = "learner.ingest.poll is " + std::to_string(poll.count()) + " ms",
         .why = "paused actors wait that long for new credits",
         .fix = "set it between 1 and 1000 ms"});
  }
  if (wait_for_room.count() < 0) {
    throw core::ConfigError(
        {.what = "learner.ingest.wait_for_room is " + std::to_string(wait_for_room.count()) + " s",
         .why = "it is a time",
         .fix = "set it to 0 (a full disk ends the learner at once) or more"});
  }
}

Ingest::Ingest(SegmentLog& log,
               transport::TransitionSource& source,
               RateLimiter limiter,
               IngestOptions options,
               const std::atomic<std::int64_t>& sampled,
               monitor::Metrics& metrics,
               monitor::Logger logger)
    : log_(log),
      source_(source),
      limiter_(limiter),
      options_(options),
      sampled_(sampled),
      logger_(std::move(logger)),
      rows_total_(
          metrics.GetCounter("londi_learner_rows_total", "Transitions appended to the log")),
      duplicates_total_(metrics.GetCounter("londi_learner_duplicate_rows_total",
                                           "Transitions refused as already stored")),
      commits_total_(metrics.GetCounter("londi_learner_commits_total",
                                        "Groups of transitions committed to the log")),
      credits_(metrics.GetGauge("londi_learner_credits_rows", "Rows that each stream may send")),
      no_room_total_(metrics.GetCounter("londi_learner_log_full_total",
                                        "Times that the disk had no room for the log")),
      no_room_now_(
          metrics.GetGauge("londi_learner_log_full", "1 while the disk has no room for the log")) {
  options_.Validate();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "learn.ingest");
    try {
      Run();
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
  });
}

Ingest::~Ingest() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Ingest::ThrowIfFailed() const {
  std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Ingest::Run() {
  while (!stopping_) {
    WaitForRoom(std::chrono::steady_clock::now());
    TakeGroup();
    GrantCredits(std::chrono::steady_clock::now());
  }
}

// After a full disk: a moment's patience before the next attempt.
void Ingest::WaitForRoom(core::TimePoint now) {
  if (!no_room_since_) return;
  std::unique_lock lock(mutex_);
  stop_.wait_until(lock, now + kTryForRoomEvery, [this] { return stopping_.load(); });
}

// Waits for one batch and takes whatever else is there already, until the disk is full.
void Ingest::TakeGroup() {
  const core::TimePoint now = std::chrono::steady_clock::now();
  std::set<transport::StreamId> group;
  std::int64_t rows = 0;
  while (rows < kMostRowsPerCommit) {
    auto batch = held_ ? std::exchange(held_, std::nullopt)
                       : source_.Receive(group.empty() ? now + options_.poll : now);
    if (!batch) break;
    group.insert(batch->stream);
    rows += std::ssize(batch->rows);
    if (Append(*batch)) continue;
    held_ = std::move(batch);
    break;
  }
  if (group.empty()) return;
  log_.Commit();
  commits_total_.Increment();
  for (const transport::StreamId& id : group) {
    Stream& stream = streams_.at(id);
    stream.credits = CreditsPerStream();
    source_.Ack(id, stream.stored, stream.credits);
  }
}

// False: the disk is full; `batch` is left with the rows that were not taken.
bool Ingest::Append(transport::TransitionBatch& batch) {
  const SegmentLog::Appended appended = log_.Append(batch.rows);
  rows_total_.Increment(static_cast<double>(appended.rows));
  duplicates_total_.Increment(static_cast<double>(appended.duplicates));
  const auto [stream, is_new] = streams_.try_emplace(batch.stream);
  if (is_new) {
    logger_->info("actor={} incarnation={} sends transitions",
                  batch.stream.actor.value,
                  batch.stream.incarnation.value);
  }
  stream->second.seen = std::chrono::steady_clock::now();
  const std::int64_t done = appended.rows + appended.duplicates;
  if (done > 0) stream->second.stored = batch.rows[static_cast<std::size_t>(done - 1)].sequence;
  NoteRoom(appended.no_room);
  if (!appended.no_room) return true;
  batch.rows.erase(batch.rows.begin(), batch.rows.begin() + done);
  return false;
}

// Says when the disk becomes full and when it has room again. Throws once it was full for too long.
void Ingest::NoteRoom(const std::optional<core::ErrorText>& no_room) {
  const core::TimePoint now = std::chrono::steady_clock::now();
  no_room_now_.Set(no_room ? 1 : 0);
  if (!no_room) {
    if (no_room_since_) {
      logger_->info("the log has room again after {:.1f} s",
                    std::chrono::duration<double>(now - *no_room_since_).count());
    }
    no_room_since_.reset();
    return;
  }
  if (!no_room_since_) {
    no_room_since_ = now;
    no_room_total_.Increment();
    logger_->warn("no rows are acknowledged for the time being: {}; why: {}; fix: {}",
                  no_room->what,
                  no_room->why,
                  no_room->fix);
  }
  if (now - *no_room_since_ < options_.wait_for_room) return;
  throw core::NoRoomError({.what = no_room->what,
                           .why = no_room->why + ", for as long as learner.ingest.wait_for_room (" +
                                  std::to_string(options_.wait_for_room.count()) + " s)",
                           .fix = no_room->fix + "; nothing acknowledged is lost"});
}

// Streams whose share grew hear of it at once: a paused one sends nothing that could be answered.
void Ingest::GrantCredits(core::TimePoint now) {
  std::erase_if(streams_, [&](const auto& entry) {
    return entry.second.credits > 0 && now - entry.second.seen > kQuietAfter;
  });
  const std::int64_t credits = CreditsPerStream();
  credits_.Set(static_cast<double>(credits));
  for (auto& [id, stream] : streams_) {
    const bool worth_telling = credits >= std::min(2 * stream.credits + 1, options_.max_credits);
    if (!worth_telling || credits == stream.credits) continue;
    stream.credits = credits;
    source_.Ack(id, stream.stored, credits);
  }
}

std::int64_t Ingest::CreditsPerStream() const {
  const auto num_streams = static_cast<std::int64_t>(std::max<std::size_t>(streams_.size(), 1));
  const std::int64_t wanted = std::min(
      kMostRowsUnderWay, limiter_.RowsWanted(log_.end(), sampled_.load(std::memory_order_relaxed)));
  return std::min(options_.max_credits, (wanted + num_streams - 1) / num_streams);
}

}  // namespace londi::learner
