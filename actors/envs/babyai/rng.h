#pragma once

#include <cstdint>
#include <span>

namespace londi::actors::babyai {

// NumPy's Generator(PCG64(SeedSequence(entropy))), bit for bit, as far as Minigrid uses it. A seed
// given to Minigrid's reset(seed=...) therefore draws the same level here. Source: O'Neill 2014
// (PCG XSL-RR 128/64); Lemire 2019 (bounded integers); NumPy's SeedSequence. Copyable: a copy
// continues the same stream independently.
class NumpyRng {
 public:
  // default_rng(seed).
  explicit NumpyRng(std::uint64_t seed);
  // default_rng([seed, stream]): an independent stream for the same seed. `stream` < 2^32.
  NumpyRng(std::uint64_t seed, std::uint32_t stream);

  // Uniform in [low, high). Requires low < high and high - low <= 2^32 - 1. A range of size 1 draws
  // nothing.
  std::int64_t Integers(std::int64_t low, std::int64_t high);

  // Uniform double in [low, high); takes a fresh 64-bit word and leaves the buffered half word
  // alone.
  double Uniform(double low, double high);

 private:
  void Seed(std::span<const std::uint32_t> entropy);
  std::uint64_t Next64();
  std::uint32_t Next32();  // Low half of a word first; the high half is kept for the next call.

  unsigned __int128 state_ = 0;
  unsigned __int128 increment_ = 0;
  std::uint32_t buffered_ = 0;
  bool has_buffered_ = false;
};

}  // namespace londi::actors::babyai
