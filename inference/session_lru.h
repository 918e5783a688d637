#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

namespace londi::inference {

// What is kept per session; the least recently used goes when it becomes too much. References stay
// valid until Trim. Not thread-safe.
template <class T>
class SessionLru {
 public:
  // nullptr: nothing is kept. Does not count as use.
  const T* Find(std::uint64_t session) const {
    const auto found = by_session_.find(session);
    return found == by_session_.end() ? nullptr : &found->second->value;
  }

  // The session's value, made where there is none; now the most recently used.
  T& Touch(std::uint64_t session) {
    const auto [found, is_new] = by_session_.try_emplace(session);
    if (is_new) {
      entries_.push_front({.session = session});
      found->second = entries_.begin();
    } else {
      entries_.splice(entries_.begin(), entries_, found->second);
    }
    return found->second->value;
  }

  // What the value of a touched session takes.
  void SetBytes(std::uint64_t session, std::size_t bytes) {
    Entry& entry = *by_session_.at(session);
    bytes_ += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  void Trim(std::size_t capacity_bytes) {
    while (bytes_ > capacity_bytes && !entries_.empty()) {
      bytes_ -= entries_.back().bytes;
      by_session_.erase(entries_.back().session);
      entries_.pop_back();
    }
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t session = 0;
    T value{};
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  Entries entries_;  // Most recently used first.
  std::unordered_map<std::uint64_t, typename Entries::iterator> by_session_;
  std::size_t bytes_ = 0;
};

}  // namespace londi::inference
