#include "learner/replay/nstep.h"

#include <algorithm>

namespace londi::learner {

int MakeHorizons(std::span<const WindowStep> window, double gamma, std::span<Horizon> out) {
  Horizon horizon;
  double discount = 1;
  int count = 0;
  for (const WindowStep& step : window) {
    horizon.reward += static_cast<float>(discount * step.reward);
    horizon.calls += step.activated ? static_cast<float>(discount) : 0.0f;
    if (step.activated)
      horizon.needed = std::max(horizon.needed, horizon.spent + std::max(step.price, step.least));
    horizon.spent += step.activated ? step.price : 0;
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

float RetraceTrace(double lambda, float pi, float mu) {
  return static_cast<float>(lambda) * (pi >= mu ? 1.0f : pi / mu);
}

float RetraceTarget(std::span<const Horizon> horizons,
                    float Horizon::*sum,
                    std::span<const RetraceStep> behind) {
  float target = horizons[0].*sum + horizons[0].discount * behind[0].expected;
  float trace = 1;
  for (std::size_t k = 1; k < horizons.size(); ++k) {
    trace *= behind[k - 1].trace;
    if (trace == 0) break;
    const Horizon &shorter = horizons[k - 1], &longer = horizons[k];
    target += trace * (longer.*sum - shorter.*sum + longer.discount * behind[k].expected -
                       shorter.discount * behind[k - 1].taken);
  }
  return target;
}

}  // namespace londi::learner
