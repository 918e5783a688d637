#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "core/clock.h"
#include "learner/replay/rate_limiter.h"
#include "learner/replay/segment_log.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/channel.h"

namespace londi::learner {

struct IngestOptions {
  std::int64_t max_credits = 4096;  // Rows that one stream may have under way, >= 1.
  std::chrono::milliseconds poll{
      20};  // Paused streams are looked at again at least that often, 1 ms .. 1 s.
  // The disk may be full for so long; then the thread ends with core::NoRoomError. >= 0.
  std::chrono::seconds wait_for_room{10 * 60};
  void Validate() const;  // Throws core::ConfigError.
};

// The thread "learn.ingest": rows from the channel -> log -> acknowledgement with credits. A row is
// acknowledged once it is committed to the log, never before. What arrives while a commit runs
// shares the next one (group commit). A full disk pauses it: what is acknowledged stays, what is
// not is kept here and in the actors until there is room. Credits come from the rate limiter,
// shared evenly by the streams that are alive.
class Ingest {
 public:
  // Starts the thread. All references outlive this. `sampled` is the learner's counter of sampled
  // rows.
  Ingest(SegmentLog& log,
         transport::TransitionSource& source,
         RateLimiter limiter,
         IngestOptions options,
         const std::atomic<std::int64_t>& sampled,
         monitor::Metrics& metrics,
         monitor::Logger logger);
  ~Ingest();  // Stops after the group at hand; does not close the source.
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // Rethrows what ended the thread, if anything did. Any thread.
  void ThrowIfFailed() const;

 private:
  struct Stream {
    core::Sequence stored;
    std::int64_t credits = 0;  // As last granted.
    core::TimePoint seen;
  };
  void Run();
  void TakeGroup();
  bool Append(transport::TransitionBatch& batch);
  void WaitForRoom(core::TimePoint now);
  void NoteRoom(const std::optional<core::ErrorText>& no_room);
  void GrantCredits(core::TimePoint now);
  std::int64_t CreditsPerStream() const;

  SegmentLog& log_;
  transport::TransitionSource& source_;
  const RateLimiter limiter_;
  const IngestOptions options_;
  const std::atomic<std::int64_t>& sampled_;
  monitor::Logger logger_;
  monitor::Counter rows_total_;
  monitor::Counter duplicates_total_;
  monitor::Counter commits_total_;
  monitor::Gauge credits_;
  monitor::Counter no_room_total_;
  monitor::Gauge no_room_now_;

  std::map<transport::StreamId, Stream> streams_;   // The thread's own.
  std::optional<transport::TransitionBatch> held_;  // Did not fit on the disk.
  std::optional<core::TimePoint> no_room_since_;

  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  std::exception_ptr failure_;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace londi::learner
