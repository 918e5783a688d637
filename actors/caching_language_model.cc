#include "actors/caching_language_model.h"

#include <string>
#include <string_view>

#include "actors/random.h"

namespace londi::actors {
namespace {

// Two FNV-1a hashes with different bases and multipliers, finished by mixing. Each text is preceded
// by its length, so that no two lists of texts read the same.
class TextHash {
 public:
  void Add(std::string_view text) {
    AddWord(text.size());
    for (const char c : text) AddWord(static_cast<unsigned char>(c));
  }
  std::uint64_t first() const { return MixWord(first_); }
  std::uint64_t second() const { return MixWord(second_); }

 private:
  void AddWord(std::uint64_t word) {
    first_ = (first_ ^ word) * 0x100000001b3ULL;
    second_ = (second_ ^ word) * 0x9e3779b97f4a7c15ULL;
    second_ ^= second_ >> 29;
  }
  std::uint64_t first_ = 0xcbf29ce484222325ULL;
  std::uint64_t second_ = 0x6a09e667f3bcc909ULL;
};

}  // namespace

CachingLanguageModel::CachingLanguageModel(core::LanguageModel& lm, std::size_t capacity)
    : lm_(lm), capacity_(capacity) {}

core::Proposal CachingLanguageModel::Propose(const core::LmRequest& request) {
  if (request.is_limited()) return lm_.Propose(request);
  const Key key = MakeKey(request);
  {
    std::lock_guard lock(mutex_);
    const auto found = proposals_.find(key);
    if (found != proposals_.end()) {
      ++hits_;
      return found->second;
    }
  }
  ++misses_;
  core::Proposal proposal = lm_.Propose(request);  // Never while locked: others go on.
  Store(key, proposal);
  return proposal;
}

CachingLanguageModel::Key CachingLanguageModel::MakeKey(const core::LmRequest& request) {
  TextHash hash;
  hash.Add(request.prompt);
  for (const std::string& candidate : request.candidates) hash.Add(candidate);
  hash.Add(request.terminator);
  return {.high = hash.first(), .low = hash.second()};
}

void CachingLanguageModel::Store(const Key& key, const core::Proposal& proposal) {
  std::lock_guard lock(mutex_);
  if (proposal.model != model_) {
    proposals_.clear();
    order_.clear();
    model_ = proposal.model;
  }
  if (!proposals_.emplace(key, proposal).second) return;  // Another thread asked the same.
  order_.push_back(key);
  if (order_.size() > capacity_) {
    proposals_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace londi::actors
