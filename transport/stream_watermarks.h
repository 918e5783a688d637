#pragma once

#include <compare>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/ids.h"

namespace londi::transport {

// A stream of transitions: what one life of one actor process emits, sequences 1, 2, 3, ...
struct StreamId {
  core::ActorId actor;
  core::Incarnation incarnation;
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

// Remembers per stream how far rows were received and how far they were stored: at-least-once
// delivery becomes exactly once. Pure, not thread-safe.
//
//   Stored(s) <= Received(s);  rows 1..Received were accepted once each, rows 1..Stored may be
//   forgotten by the actor.
class StreamWatermarks {
 public:
  // Which rows of an arriving batch are new: the first `duplicates` are to be dropped. nullopt: the
  // batch begins beyond the next expected row (a gap); ignore all of it, the sender will send again
  // from Received + 1.
  struct Admission {
    std::int64_t duplicates = 0;
    std::int64_t fresh = 0;
  };
  [[nodiscard]] std::optional<Admission> Admit(StreamId stream,
                                               core::Sequence first,
                                               std::int64_t rows);

  // Rows up to `through` are safe in the log. Ignores a mark that moves backwards; clamps to
  // Received.
  void MarkStored(StreamId stream, core::Sequence through);

  // The sender can offer nothing before `first`: an earlier life of the receiver acknowledged those
  // rows, then lost them. Moves both marks to first - 1 and returns how many rows are missing; 0
  // when nothing changed.
  std::int64_t SkipTo(StreamId stream, core::Sequence first);

  core::Sequence Received(StreamId stream) const;  // 0: nothing yet.
  core::Sequence Stored(StreamId stream) const;

  // Stored marks, ordered by stream, for a checkpoint; Restore makes both marks equal to them.
  using Snapshot = std::vector<std::pair<StreamId, core::Sequence>>;
  Snapshot StoredMarks() const;
  void Restore(const Snapshot& stored);

 private:
  struct Marks {
    std::int64_t received = 0;
    std::int64_t stored = 0;
  };
  std::map<StreamId, Marks> streams_;
};

}  // namespace londi::transport
