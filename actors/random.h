#pragma once

#include <cstdint>
#include <initializer_list>

namespace londi::actors {

// One word that depends on all words and on their order; neighbouring inputs give unrelated
// outputs. Source: the finalizer of SplitMix64 (Steele et al. 2014).
constexpr std::uint64_t MixWord(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
constexpr std::uint64_t MixWords(std::initializer_list<std::uint64_t> words) {
  std::uint64_t mixed = 0;
  for (const std::uint64_t word : words) mixed = MixWord(mixed + 0x9e3779b97f4a7c15ULL + word);
  return mixed;
}

// The actors' random numbers (SplitMix64): one word of state, any seed is a good one, the same
// draws on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() { return MixWord(state_ += 0x9e3779b97f4a7c15ULL); }

  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Uniform in [0, count), count >= 1.
  std::int64_t Below(std::int64_t count) {
    return static_cast<std::int64_t>(Uniform() * static_cast<double>(count));
  }

 private:
  std::uint64_t state_;
};

}  // namespace londi::actors
