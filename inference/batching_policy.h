#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/clock.h"

namespace londi::inference {

// How requests become forward passes. Actors wait for their answers, so the next batch forms by
// itself while one is computed: waiting longer for more requests rarely pays.
struct BatchingOptions {
  std::int32_t max_requests = 64;           // Per forward pass, >= 1.
  std::int64_t max_tokens = 4096;           // New tokens per forward pass, >= 1.
  std::chrono::microseconds max_wait{0};    // The oldest request waits at most this long, >= 0.
  std::int64_t max_queued_tokens = 65'536;  // More are refused: other workers may have room, >= 1.
  void Validate() const;                    // Throws core::ConfigError.
};

// The requests that are ready to be computed.
struct QueueState {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;       // New tokens of all of them.
  core::TimePoint oldest_since;  // Since when the first of them waits.
};

// True: compute now.
bool ShouldFlush(const BatchingOptions& options, const QueueState& queue, core::TimePoint now);

// When ShouldFlush becomes true if nothing else arrives; `never` for an empty queue.
core::TimePoint FlushTime(const BatchingOptions& options,
                          const QueueState& queue,
                          core::TimePoint never);

// How many requests from the front go into the next forward pass: at least one, whatever its size.
std::size_t BatchSize(const BatchingOptions& options, std::span<const std::int64_t> tokens);

// False: the queue has too much already. An empty queue takes any request.
bool Admits(const BatchingOptions& options, const QueueState& queue, std::int64_t tokens);

}  // namespace londi::inference
