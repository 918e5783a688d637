#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "core/language_model.h"

namespace londi::actors {

// Remembers an LM's answers: a greedy LM is a function of its request, and cells that are evaluated
// on the same seeds ask the same questions. A remembered answer counts like a fresh one and keeps
// the usage of the original. Answers of another model than before (another hash) empty the memory.
// Thread-safe.
//
// A request with a limit is always asked: what its answer takes decides what the budget still
// allows, and that depends on what the worker has of this episode, not on who asked first.
class CachingLanguageModel final : public core::LanguageModel {
 public:
  // Keeps the newest `capacity` answers; with 0 every question is asked. `lm` outlives this object.
  CachingLanguageModel(core::LanguageModel& lm, std::size_t capacity);

  core::Proposal Propose(const core::LmRequest& request) override;

  std::int64_t num_hits() const { return hits_; }
  std::int64_t num_misses() const { return misses_; }

 private:
  // 128 bits of hash stand for prompt, candidates and terminator.
  struct Key {
    std::uint64_t high = 0, low = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return static_cast<std::size_t>(key.low); }
  };
  static Key MakeKey(const core::LmRequest& request);
  void Store(const Key& key, const core::Proposal& proposal);

  core::LanguageModel& lm_;
  const std::size_t capacity_;
  std::atomic<std::int64_t> hits_ = 0;
  std::atomic<std::int64_t> misses_ = 0;

  std::mutex mutex_;
  core::ModelHash model_;  // Guarded by mutex_, as is below.
  std::unordered_map<Key, core::Proposal, KeyHash> proposals_;
  std::deque<Key> order_;  // Oldest first.
};

}  // namespace londi::actors
