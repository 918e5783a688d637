#include "core/switcher.h"

#include <algorithm>
#include <cmath>

namespace londi::core {

void EncodeContext(float cost, float remaining, std::int32_t steps_left, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0f);
  const float horizon = static_cast<float>(std::max(steps_left, 1));
  const bool unlimited = remaining < 0 || remaining >= static_cast<float>(steps_left);
  out[0] = std::log10(cost + 1e-4f) / 4.0f;
  out[1] = cost;
  out[kUnlimitedInput] = unlimited ? 1.0f : 0.0f;
  out[3] = unlimited ? 1.0f : std::min(remaining, horizon) / 32.0f;
  out[4] = unlimited ? 1.0f : remaining / horizon;
  out[5] = horizon / 128.0f;
  if (!unlimited) out[6 + static_cast<std::size_t>(std::min(remaining, 8.0f))] = 1.0f;
}

}  // namespace londi::core
