#pragma once

#include <cstdint>
#include <mutex>

#include "actors/episode.h"
#include "core/ids.h"
#include "core/transition.h"
#include "transport/channel.h"

namespace londi::actors {

// The row of a step, without its identity (actor, incarnation, sequence).
core::Transition ToTransition(const StepRecord& record);

// First 64 bits of a model's hash (16 hex digits); 0 for an empty one. A text that is no hex number
// is hashed.
std::uint64_t ModelNumber(const core::ModelHash& hash);

// Numbers the rows of a process's episodes and hands them to the sink in that order. Thread-safe.
class TransitionWriter {
 public:
  // The sink outlives the writer.
  TransitionWriter(transport::TransitionSink& sink, core::ActorId actor, core::Incarnation life)
      : sink_(sink), actor_(actor), incarnation_(life) {}

  // Blocks while the sink is full. False: the sink is closed, the row was not written.
  [[nodiscard]] bool Write(core::Transition row);

  std::int64_t num_written() const;

 private:
  transport::TransitionSink& sink_;
  const core::ActorId actor_;
  const core::Incarnation incarnation_;
  mutable std::mutex mutex_;
  std::int64_t last_ = 0;  // Guarded by mutex_.
};

}  // namespace londi::actors
