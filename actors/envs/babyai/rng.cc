#include "actors/envs/babyai/rng.h"

#include <array>
#include <cstddef>
#include <limits>

namespace londi::actors::babyai {
namespace {

constexpr std::size_t kPoolSize = 4;
constexpr unsigned __int128 kPcgMultiplier =
    (static_cast<unsigned __int128>(2549297995355413924ULL) << 64) | 4865540595714422341ULL;

// SeedSequence's hash of one word; the constant changes with every call.
struct WordHash {
  std::uint32_t constant;
  std::uint32_t multiplier;
  std::uint32_t operator()(std::uint32_t value) {
    value ^= constant;
    constant *= multiplier;
    value *= constant;
    return value ^ (value >> 16);
  }
};

std::uint32_t Mix(std::uint32_t x, std::uint32_t y) {
  const std::uint32_t result = 0xca01f9ddU * x - 0x4973f715U * y;
  return result ^ (result >> 16);
}

// The 256 bits of SeedSequence(entropy).generate_state(4, uint64).
std::array<std::uint64_t, 4> GenerateState(std::span<const std::uint32_t> entropy) {
  WordHash hash{0x43b0d7e5U, 0x931e8875U};
  std::array<std::uint32_t, kPoolSize> pool{};
  for (std::size_t i = 0; i < kPoolSize; ++i) pool[i] = hash(i < entropy.size() ? entropy[i] : 0);
  for (std::size_t source = 0; source < kPoolSize; ++source) {
    for (std::size_t target = 0; target < kPoolSize; ++target) {
      if (source != target) pool[target] = Mix(pool[target], hash(pool[source]));
    }
  }
  for (std::size_t i = kPoolSize; i < entropy.size(); ++i) {
    for (std::uint32_t& word : pool) word = Mix(word, hash(entropy[i]));
  }

  WordHash output{0x8b51f9ddU, 0x58f38dedU};
  std::array<std::uint64_t, 4> state{};
  for (std::size_t i = 0; i < 2 * state.size(); ++i) {
    state[i / 2] |= static_cast<std::uint64_t>(output(pool[i % kPoolSize])) << (32 * (i % 2));
  }
  return state;
}

// An integer as SeedSequence splits it: 32-bit words, low first, at least one. Returns the number
// of words.
std::size_t SplitSeed(std::uint64_t seed, std::uint32_t* words) {
  words[0] = static_cast<std::uint32_t>(seed);
  words[1] = static_cast<std::uint32_t>(seed >> 32);
  return words[1] == 0 ? 1 : 2;
}

}  // namespace

NumpyRng::NumpyRng(std::uint64_t seed) {
  std::array<std::uint32_t, 2> words{};
  const std::size_t count = SplitSeed(seed, words.data());
  Seed({words.data(), count});
}

NumpyRng::NumpyRng(std::uint64_t seed, std::uint32_t stream) {
  std::array<std::uint32_t, 3> words{};
  const std::size_t count = SplitSeed(seed, words.data());
  words[count] = stream;
  Seed({words.data(), count + 1});
}

void NumpyRng::Seed(std::span<const std::uint32_t> entropy) {
  const std::array<std::uint64_t, 4> words = GenerateState(entropy);
  const unsigned __int128 start = (static_cast<unsigned __int128>(words[0]) << 64) | words[1];
  const unsigned __int128 sequence = (static_cast<unsigned __int128>(words[2]) << 64) | words[3];
  increment_ = (sequence << 1) | 1;
  state_ = (increment_ + start) * kPcgMultiplier + increment_;
}

std::uint64_t NumpyRng::Next64() {
  state_ = state_ * kPcgMultiplier + increment_;
  const auto high = static_cast<std::uint64_t>(state_ >> 64);
  const std::uint64_t folded = high ^ static_cast<std::uint64_t>(state_);
  const int rotation = static_cast<int>(high >> 58);
  return (folded >> rotation) | (folded << ((64 - rotation) & 63));
}

std::uint32_t NumpyRng::Next32() {
  if (has_buffered_) {
    has_buffered_ = false;
    return buffered_;
  }
  const std::uint64_t word = Next64();
  has_buffered_ = true;
  buffered_ = static_cast<std::uint32_t>(word >> 32);
  return static_cast<std::uint32_t>(word);
}

std::int64_t NumpyRng::Integers(std::int64_t low, std::int64_t high) {
  const auto size = static_cast<std::uint32_t>(high - low);
  if (size == 1) return low;
  std::uint64_t product = static_cast<std::uint64_t>(Next32()) * size;
  if (static_cast<std::uint32_t>(product) < size) {
    const std::uint32_t threshold = (std::numeric_limits<std::uint32_t>::max() - (size - 1)) % size;
    while (static_cast<std::uint32_t>(product) < threshold) {
      product = static_cast<std::uint64_t>(Next32()) * size;
    }
  }
  return low + static_cast<std::int64_t>(product >> 32);
}

double NumpyRng::Uniform(double low, double high) {
  return low + (high - low) * (static_cast<double>(Next64() >> 11) * 0x1.0p-53);
}

}  // namespace londi::actors::babyai
