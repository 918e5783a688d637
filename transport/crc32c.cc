#include "transport/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
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
  for (; HasInstruction() && i + kLanes <= crcs.size(); i += kLanes)
    Crc32cOfFour(first + i * stride, stride, size, &crcs[i]);
#endif
  for (; i < crcs.size(); ++i) crcs[i] = Crc32c({first + i * stride, size});
}

}  // namespace londi::transport
