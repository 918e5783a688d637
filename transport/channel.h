#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/ids.h"
#include "core/language_model.h"
#include "core/transition.h"
#include "core/weights.h"
#include "transport/stream_watermarks.h"

// The channels of a run as their users see them. Implementations: in_process.h (one process, tests)
// and zmq_*.h.
//
// Common rules. All methods are thread-safe unless a class says otherwise. "Blocks until
// `deadline`" uses the steady clock. Close() is idempotent, may be called from any thread, wakes
// everyone who waits, and is implied by destruction (no other thread may still be inside a method
// then). Nothing is lost silently: what a closed channel will not do any more is refused by return
// value or by core::UnavailableError.
namespace londi::transport {

// --- LM requests: actor -> inference worker
// -------------------------------------------------------------------------

// Names one received request within one LmServerChannel.
using Ticket = core::StrongInt<struct TicketTag>;

// Whether a refused request may be tried on another worker.
enum class Retry : std::uint8_t {
  kElsewhere,   // This worker cannot now (overload, shutting down): the client goes on with another
                // one.
  kNever,       // The request itself is wrong (prompt too long, no candidates): the caller gets
                // core::Error.
  kOverBudget,  // It would need more than its limits: the caller gets core::OverBudgetError.
  kIfUnlimited,  // The forward pass failed after it began: as kElsewhere, but a request with a
                 // limit may have spent that already and is not tried again.
};

struct IncomingLmRequest {
  Ticket ticket;
  core::LmRequest request;  // `deadline` is in this process's clock.
  core::TimePoint received_at;
  std::shared_ptr<const std::atomic<bool>> cancelled;

  // The client no longer waits (cancelled, gone, or retried elsewhere): skip the work. A reply
  // would be dropped.
  bool IsCancelled() const { return cancelled->load(std::memory_order_relaxed); }
};

// The worker's end. Usually: one thread receives, the executor replies.
class LmServerChannel {
 public:
  virtual ~LmServerChannel() = default;

  // Next request in order of arrival; expired and cancelled ones are skipped. nullopt: `deadline`
  // passed, or the channel is closed (IsClosed tells).
  [[nodiscard]] virtual std::optional<IncomingLmRequest> Receive(core::TimePoint deadline) = 0;

  // Exactly one of the two per ticket; unknown, cancelled and answered tickets are ignored. Does
  // not block.
  virtual void Reply(Ticket ticket, const core::Proposal& proposal) = 0;
  virtual void Refuse(Ticket ticket, const core::ErrorText& reason, Retry retry) = 0;

  // Requests that wait for Receive.
  virtual std::size_t NumWaiting() const = 0;

  // Waiting and later requests are refused with Retry::kElsewhere; received ones may still be
  // answered.
  virtual void Close() = 0;
  virtual bool IsClosed() const = 0;
};

// The actor's end: a core::LanguageModel for many episode threads at once.
class LmClient : public core::LanguageModel {
 public:
  // Blocked and later Propose calls throw core::UnavailableError.
  virtual void Close() = 0;
};

// --- transitions: actor -> learner
// ----------------------------------------------------------------------------------

struct SinkStatus {
  std::int64_t unacknowledged = 0;  // Rows in the spool.
  core::Sequence pushed;            // Last row taken by Push.
  core::Sequence acknowledged;      // Rows up to here are in the learner's log.
  std::int64_t credits = 0;         // Rows beyond `acknowledged` that the learner accepts now.
};

// The actor's end: keeps every row until the learner has stored it.
class TransitionSink {
 public:
  virtual ~TransitionSink() = default;

  // Takes a complete row: actor, incarnation and sequence are the caller's, one stream per sink,
  // sequences 1, 2, 3, ... in order (threads that share a sink number and push under one lock).
  // Blocks while the spool is full: a slow learner slows the episodes down, nothing is dropped.
  // False: closed, `row` was not taken. Throws core::ProtocolError when a row is out of order or of
  // another stream.
  [[nodiscard]] virtual bool Push(core::Transition row) = 0;

  // The actor ends: from now on its rows leave as fast as the learner stores them, whatever credits
  // it gives. Does not block; rows may still be pushed.
  virtual void StartDraining() = 0;

  // Starts draining, sends what waits for more rows, and blocks until every pushed row is
  // acknowledged. False: `deadline` passed or the sink was closed first; status() tells how much is
  // left.
  [[nodiscard]] virtual bool Drain(core::TimePoint deadline) = 0;

  virtual SinkStatus status() const = 0;

  // Rows that are not acknowledged are given up, unless they are kept for a later process: Drain
  // first.
  virtual void Close() = 0;
};

// Rows of one stream with ascending sequences, never empty.
struct TransitionBatch {
  StreamId stream;
  std::vector<core::Transition> rows;

  core::Sequence last() const { return rows.back().sequence; }
};

// The learner's end: every row once, in order per stream.
class TransitionSource {
 public:
  virtual ~TransitionSource() = default;

  // nullopt: `deadline` passed, or closed and drained. Throws what ended the channel's own thread.
  [[nodiscard]] virtual std::optional<TransitionBatch> Receive(core::TimePoint deadline) = 0;

  // Rows of `stream` up to `through` are safe (in the log): the actor may forget them. `credits` >=
  // 0: how many rows beyond `through` that stream may have under way; 0 pauses it, until the next
  // Ack, which may repeat `through`. A stream that drains is not held up by them.
  virtual void Ack(StreamId stream, core::Sequence through, std::int64_t credits) = 0;

  // For a checkpoint: how far each stream was acknowledged. Restored through the implementation's
  // constructor.
  virtual StreamWatermarks::Snapshot StoredMarks() const = 0;

  virtual void Close() = 0;
};

// --- Switcher weights: learner -> actors
// ----------------------------------------------------------------------------

class WeightsPublisher {
 public:
  virtual ~WeightsPublisher() = default;

  // Replaces what subscribers get; does not block. Versions must grow: throws core::ProtocolError
  // otherwise. Throws what ended the channel's own thread.
  virtual void Publish(std::shared_ptr<const core::WeightsSnapshot> weights) = 0;
};

class WeightsSubscriber {
 public:
  virtual ~WeightsSubscriber() = default;

  // The newest weights that arrived, nullptr before the first. Never blocks: call it between two
  // decisions.
  virtual std::shared_ptr<const core::WeightsSnapshot> Latest() const = 0;

  // Blocks until there are any. nullptr: `deadline` passed or closed.
  [[nodiscard]] virtual std::shared_ptr<const core::WeightsSnapshot> WaitForFirst(
      core::TimePoint deadline) = 0;

  virtual void Close() = 0;
};

}  // namespace londi::transport
