#include "learner/nstep.h"

namespace londi::learner {

int MakeHorizons(std::span<const WindowStep> window, double gamma, std::span<Horizon> out) {
  Horizon horizon;
  double discount = 1;
  int count = 0;
  for (const WindowStep& step : window) {
    horizon.reward += static_cast<float>(discount * step.reward);
    horizon.calls += step.activated ? static_cast<float>(discount) : 0.0f;
    horizon.activations += step.activated ? 1 : 0;
    discount *= gamma;
    horizon.discount = static_cast<float>(discount);
    horizon.terminal = step.terminal;
    out[static_cast<std::size_t>(count++)] = horizon;
    if (step.terminal) break;
  }
  return count;
}

int ChooseHorizon(std::span<const Horizon> horizons, std::span<const std::uint8_t> followed) {
  const int last = static_cast<int>(horizons.size()) - 1;
  for (int i = 0; i < last; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (horizons[index].terminal || !followed[index]) return i;
  }
  return last;
}

}  // namespace londi::learner
