#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace londi::core {

// IEEE 754 binary16 <-> binary32, round to nearest even; NaN stays NaN, overflow becomes infinity.
std::uint16_t FloatToHalf(float value);
float HalfToFloat(std::uint16_t half);

std::vector<std::uint16_t> ToHalf(std::span<const float> values);
void ToFloat(std::span<const std::uint16_t> halves, std::span<float> out);  // Sizes must be equal.

}  // namespace londi::core
