#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learner/host_buffer.h"

namespace londi::learner {

// Rows that a batch's memory reads, as chains: successive rows of an episode, the memory empty
// before the first. Chains are read side by side: first the first rows of all of them, longest
// chain first, then the second rows of those that have one, and so on. So the chains that still run
// are always the first ones. At each step there are a multiple of kChainsTogether rows, the last
// one repeated: libraries of matrix products prepare for a shape, and numbers of chains are all
// different.
struct MemoryChains {
  static constexpr std::size_t kChainsTogether = 64;

  explicit MemoryChains(bool pinned = false) : features(pinned) {}

  std::vector<std::int64_t> rows;  // In that order, their numbers in the log.
  std::vector<std::int64_t>
      num_running;  // [length of the longest chain] so many rows of each step.
  // [states + successors of the batch] After which of `rows` its memory is the one it is about.
  std::vector<std::int64_t> places;
  HostBuffer features;  // [rows, num_features]
};

// Collects the chains of a batch.
class MemoryChainMaker {
 public:
  // Lets a memory read `past`, the steps `first_step` .. of an episode, and then the rows behind
  // it, `window[1..]`; `window[0]` is the last row of `past`. For each of the window's rows from
  // core's MemoryStart on, so that it may take several chains.
  void Add(std::span<const std::int64_t> past,
           std::int32_t first_step,
           std::span<const std::int64_t> window,
           int memory_window);

  // The next of the batch's states or successors is row `index` of the window added as number
  // `window`.
  void Want(std::size_t window, std::size_t index);

  // All but the features.
  void Finish(MemoryChains& out) const;

 private:
  struct Place {
    std::size_t chain = 0;
    std::size_t step = 0;
  };

  std::vector<std::vector<std::int64_t>> chains_;
  std::vector<std::vector<Place>> windows_;  // By window, of its rows.
  std::vector<Place> wanted_;
};

}  // namespace londi::learner
