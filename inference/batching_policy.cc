#include "inference/batching_policy.h"

#include <string>

#include "core/error.h"

namespace londi::inference {
namespace {

void CheckAtLeast(const char* name, std::int64_t value, std::int64_t least) {
  if (value >= least) return;
  throw core::ConfigError(
      {.what = std::string("inference.") + name + " is " + std::to_string(value),
       .why = "a forward pass needs at least one request and one token",
       .fix = "set it to " + std::to_string(least) + " or more"});
}

}  // namespace

void BatchingOptions::Validate() const {
  CheckAtLeast("max_requests", max_requests, 1);
  CheckAtLeast("max_tokens", max_tokens, 1);
  CheckAtLeast("max_wait", max_wait.count(), 0);
  CheckAtLeast("max_queued_tokens", max_queued_tokens, 1);
}

bool ShouldFlush(const BatchingOptions& options, const QueueState& queue, core::TimePoint now) {
  if (queue.requests == 0) return false;
  return queue.requests >= options.max_requests || queue.tokens >= options.max_tokens ||
         now - queue.oldest_since >= options.max_wait;
}

core::TimePoint FlushTime(const BatchingOptions& options,
                          const QueueState& queue,
                          core::TimePoint never) {
  return queue.requests == 0 ? never : queue.oldest_since + options.max_wait;
}

std::size_t BatchSize(const BatchingOptions& options, std::span<const std::int64_t> tokens) {
  std::size_t size = 0;
  std::int64_t sum = 0;
  for (; size < tokens.size() && size < static_cast<std::size_t>(options.max_requests); ++size) {
    sum += tokens[size];
    if (size > 0 && sum > options.max_tokens) break;
  }
  return size;
}

bool Admits(const BatchingOptions& options, const QueueState& queue, std::int64_t tokens) {
  return queue.requests == 0 || queue.tokens + tokens <= options.max_queued_tokens;
}

}  // namespace londi::inference
