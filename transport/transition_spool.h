#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "transport/channel.h"

namespace londi::transport {

struct SpoolOptions {
  std::int64_t max_rows = 8192;               // Unacknowledged rows; then Push blocks.
  std::int64_t flush_rows = 32;               // A batch leaves when it has this many rows,
  std::int64_t flush_bytes = 64 * 1024;       // or this many bytes,
  std::chrono::milliseconds flush_after{50};  // or when its first row is this old.
  std::int64_t joined = 4;                    // Batches that wait leave together, so many of them.
  void Validate() const;                      // Throws core::ConfigError.
};

// The rows a sink still answers for: an open batch that collects, sealed batches that wait for
// credits or for their acknowledgement. Pure (time comes in as an argument), not thread-safe.
//
// Credits: a batch may leave while its first row is within `credits` of the acknowledged row, so
// that less than one batch overshoots. Without an Ack there are no credits: the receiver must be
// heard first.
class TransitionSpool {
 public:
  // `after`: rows up to it were acknowledged to an earlier process; the next one pushed follows it.
  explicit TransitionSpool(SpoolOptions options, core::Sequence after = core::Sequence(0));

  bool IsFull() const { return unacknowledged() >= options_.max_rows; }

  // Requires !IsFull(). Throws core::ProtocolError for a row that does not continue the stream.
  void Push(core::Transition row, core::TimePoint now);

  // Seals the open batch whatever its size.
  void Flush();

  // The next batch to send, if there is one and credits allow it, joined with those behind it that
  // may leave too. Batches stay in the spool until acknowledged.
  [[nodiscard]] std::shared_ptr<const TransitionBatch> TakeNext(core::TimePoint now);

  // When TakeNext should be asked again if nothing else happens: nullopt = no open batch.
  std::optional<core::TimePoint> NextFlush() const;

  // Rows up to `through` are stored; `credits` rows beyond may be sent. Marks that move backwards
  // are ignored.
  void OnAck(core::Sequence through, std::int64_t credits);

  // The receiver has only seen rows up to `received`: send again from there.
  void Rewind(core::Sequence received);

  std::int64_t unacknowledged() const { return pushed_ - acknowledged_; }
  std::optional<StreamId> stream() const { return stream_; }  // Known from the first row on.
  core::Sequence last_sent() const;                           // 0: nothing yet.
  bool HasUnsent() const { return next_ < sealed_.size(); }
  SinkStatus status() const;

 private:
  void CheckContinues(const core::Transition& row);
  void Seal();
  bool HasCredits(const TransitionBatch& batch) const;
  bool FitTogether(const TransitionBatch& a, const TransitionBatch& b) const;

  const SpoolOptions options_;
  std::optional<StreamId> stream_;
  std::size_t num_features_ = 0;
  std::vector<core::Transition> open_;
  std::int64_t open_bytes_ = 0;
  core::TimePoint opened_at_{};
  std::deque<std::shared_ptr<TransitionBatch>> sealed_;  // Only unsent ones change.
  std::size_t next_ = 0;  // Index into sealed_ of the next batch to send.
  std::int64_t pushed_;
  std::int64_t acknowledged_;
  std::int64_t credits_ = 0;
};

}  // namespace londi::transport
