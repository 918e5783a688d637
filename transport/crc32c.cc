#include "transport/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace londi::transport {
namespace {

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}

#if defined(__x86_64__)
bool HasInstruction() {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  return has_instruction;
}

__attribute__((target("sse4.2"))) std::uint32_t Crc32cHardware(std::span<const std::byte> bytes,
                                                               std::uint32_t crc) {
  std::uint64_t state = ~crc;
  const std::byte* next = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; next += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, next, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto tail = static_cast<std::uint32_t>(state);
  for (; left > 0; ++next, --left) tail = _mm_crc32_u8(tail, std::to_integer<std::uint8_t>(*next));
  return ~tail;
}

// Folding (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", 2009), 64
// bytes a register: bytes far in front weigh x^n mod P times as much, so they are multiplied by it
// and added to what comes n bits later. Several times as fast as the instruction for long inputs.
constexpr std::size_t kFoldedAtOnce = 256;

bool CanFold() {
  static const bool can_fold =
      HasInstruction() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
  return can_fold;
}

// x^exponent mod P, reflected; one bit to the left, as a product of reflected factors lacks one.
constexpr std::int64_t PowerOfX(int exponent) {
  std::uint32_t power = 0x80000000u;
  for (int i = 0; i < exponent; ++i) power = (power >> 1) ^ ((power & 1u) ? 0x82f63b78u : 0u);
  return static_cast<std::int64_t>(power) << 1;
}

// What moves the first and the second half of 16 bytes on by so many bits.
template <int kBits>
struct Move {
  static constexpr std::int64_t kFirst = PowerOfX(kBits + 32), kSecond = PowerOfX(kBits - 32);
};

#define LONDI_FOLDS __attribute__((target("sse4.2,avx512f,vpclmulqdq")))

template <int kBits>
LONDI_FOLDS __m512i MoveEach() {
  using M = Move<kBits>;
  return _mm512_set_epi64(
      M::kSecond, M::kFirst, M::kSecond, M::kFirst, M::kSecond, M::kFirst, M::kSecond, M::kFirst);
}

LONDI_FOLDS __m512i Load(const std::byte* bytes) { return _mm512_loadu_si512(bytes); }

// `sum`, each 16 bytes of it moved on, and `next`.
LONDI_FOLDS __m512i Fold(__m512i sum, __m512i move, __m512i next) {
  constexpr int kXorOfThree = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(sum, move, 0x00),
                                   _mm512_clmulepi64_epi128(sum, move, 0x11),
                                   next,
                                   kXorOfThree);
}

// Of at least kFoldedAtOnce bytes.
LONDI_FOLDS std::uint32_t Crc32cFolded(std::span<const std::byte> bytes, std::uint32_t crc) {
  const std::byte* next = bytes.data();
  std::size_t left = bytes.size();
  const __m512i state = _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~crc)));
  __m512i a = _mm512_xor_si512(Load(next), state);
  __m512i b = Load(next + 64), c = Load(next + 128), d = Load(next + 192);
  const __m512i by_256 = MoveEach<8 * 256>(), by_64 = MoveEach<8 * 64>();
  for (next += 256, left -= 256; left >= 256; next += 256, left -= 256) {
    a = Fold(a, by_256, Load(next));
    b = Fold(b, by_256, Load(next + 64));
    c = Fold(c, by_256, Load(next + 128));
    d = Fold(d, by_256, Load(next + 192));
  }
  a = Fold(Fold(Fold(a, by_64, b), by_64, c), by_64, d);
  for (; left >= 64; next += 64, left -= 64) a = Fold(a, by_64, Load(next));

  // To the last 16 of the 64 bytes, which stay as they are.
  const __m512i to_last = _mm512_set_epi64(0,
                                           0,
                                           Move<128>::kSecond,
                                           Move<128>::kFirst,
                                           Move<256>::kSecond,
                                           Move<256>::kFirst,
                                           Move<384>::kSecond,
                                           Move<384>::kFirst);
  alignas(64) std::uint64_t moved[8], kept[8];
  _mm512_store_si512(moved, Fold(a, to_last, _mm512_setzero_si512()));
  _mm512_store_si512(kept, a);
  std::uint64_t sum = _mm_crc32_u64(0, moved[0] ^ moved[2] ^ moved[4] ^ kept[6]);
  sum = _mm_crc32_u64(sum, moved[1] ^ moved[3] ^ moved[5] ^ kept[7]);
  return Crc32cHardware({next, left}, ~static_cast<std::uint32_t>(sum));
}
#undef LONDI_FOLDS

// The instruction takes three cycles and can begin every cycle: four sums at once.
constexpr std::size_t kLanes = 4;

__attribute__((target("sse4.2"))) void Crc32cOfFour(const std::byte* first,
                                                    std::size_t stride,
                                                    std::size_t size,
                                                    std::uint32_t* crcs) {
  const auto word = [&](std::size_t lane, std::size_t at) {
    std::uint64_t value;
    std::memcpy(&value, first + lane * stride + at, 8);
    return value;
  };
  std::uint64_t a = 0xffffffff, b = a, c = a, d = a;
  const std::size_t words = size / 8 * 8;
  for (std::size_t at = 0; at < words; at += 8) {
    a = _mm_crc32_u64(a, word(0, at));
    b = _mm_crc32_u64(b, word(1, at));
    c = _mm_crc32_u64(c, word(2, at));
    d = _mm_crc32_u64(d, word(3, at));
  }
  const std::uint64_t states[kLanes] = {a, b, c, d};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::span<const std::byte> rest(first + lane * stride + words, size - words);
    crcs[lane] = Crc32cHardware(rest, ~static_cast<std::uint32_t>(states[lane]));
  }
}
#endif

}  // namespace

std::uint32_t Crc32cPortable(std::span<const std::byte> bytes, std::uint32_t crc) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeTable();
  crc = ~crc;
  for (std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xffu];
  }
  return ~crc;
}

std::uint32_t Crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  if (bytes.size() >= kFoldedAtOnce && CanFold()) return Crc32cFolded(bytes, crc);
  if (HasInstruction()) return Crc32cHardware(bytes, crc);
#endif
  return Crc32cPortable(bytes, crc);
}

void Crc32cOfEach(std::span<const std::byte> blocks,
                  std::size_t skipped,
                  std::span<std::uint32_t> crcs) {
  if (crcs.empty()) return;
  const std::size_t stride = blocks.size() / crcs.size(), size = stride - skipped;
  const std::byte* first = blocks.data() + skipped;
  std::size_t i = 0;
#if defined(__x86_64__)
  const bool one_by_one = size >= kFoldedAtOnce && CanFold();
  for (; !one_by_one && HasInstruction() && i + kLanes <= crcs.size(); i += kLanes)
    Crc32cOfFour(first + i * stride, stride, size, &crcs[i]);
#endif
  for (; i < crcs.size(); ++i) crcs[i] = Crc32c({first + i * stride, size});
}

}  // namespace londi::transport
