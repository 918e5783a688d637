#include "core/half.h"

#include <bit>
#include <cstddef>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace londi::core {
namespace {

#if defined(__x86_64__)
// As many leading values as fit whole vectors; returns how many. The learner widens a million per
// update.
__attribute__((target("avx,f16c"))) std::size_t ToFloatVectors(const std::uint16_t* halves,
                                                               std::size_t count,
                                                               float* out) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(packed));
  }
  return i;
}

// "avx" also asks whether the system saves the wide registers; Clang 14 does not know "f16c" here.
bool HasVectorConversion() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __builtin_cpu_supports("avx") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 &&
         (ecx & bit_F16C) != 0;
}
#endif

}  // namespace

std::uint16_t FloatToHalf(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);  // NaN
  if (magnitude >= 0x477ff000u)
    return static_cast<std::uint16_t>(sign | 0x7c00u);  // Rounds to infinity.
  if (magnitude <
      0x38800000u) {  // Subnormal half or zero: let the FPU round by adding 0.5 * 2^-24 units.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + odd;
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

float HalfToFloat(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}

std::vector<std::uint16_t> ToHalf(std::span<const float> values) {
  std::vector<std::uint16_t> halves(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) halves[i] = FloatToHalf(values[i]);
  return halves;
}

void ToFloat(std::span<const std::uint16_t> halves, std::span<float> out) {
  std::size_t i = 0;
#if defined(__x86_64__)
  static const bool has_instruction = HasVectorConversion();
  if (has_instruction) i = ToFloatVectors(halves.data(), halves.size(), out.data());
#endif
  for (; i < halves.size(); ++i) out[i] = HalfToFloat(halves[i]);
}

}  // namespace londi::core
