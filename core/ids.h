#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace londi::core {

// An integer that cannot be mixed up with another kind of integer.
template <class Tag>
struct StrongInt {
  std::int64_t value = 0;
  constexpr StrongInt() = default;
  explicit constexpr StrongInt(std::int64_t v) : value(v) {}
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;
};

using RunId = StrongInt<struct RunIdTag>;  // Random, one per run; in every message.
using Epoch =
    StrongInt<struct EpochTag>;  // Raised by each coordinator start; older ones are fenced.
using ActorId = StrongInt<struct ActorIdTag>;  // Index of the actor process in the run.
using Incarnation =
    StrongInt<struct IncarnationTag>;  // Raised by each start of a process; newest wins.
using Sequence =
    StrongInt<struct SequenceTag>;  // Row number in the stream (run, actor, incarnation), from 1.
using EpisodeId = StrongInt<struct EpisodeIdTag>;            // Unique within (actor, incarnation).
using WeightsVersion = StrongInt<struct WeightsVersionTag>;  // 0 = initial weights, then 1, 2, ...

// Content hash of an LM folder (config, weights, tokenizer): 16 hex digits.
using ModelHash = std::string;

}  // namespace londi::core

template <class Tag>
struct std::hash<londi::core::StrongInt<Tag>> {
  std::size_t operator()(londi::core::StrongInt<Tag> id) const {
    return std::hash<std::int64_t>{}(id.value);
  }
};
