#include "learner/algorithms/retrace.h"

#include <array>
#include <cmath>

namespace londi::learner {

float ActivationProbOf(const Values& values,
                       const Context& context,
                       double temperature,
                       std::int32_t least_per_call) {
  const float advantage = values.Advantage(context.cost);
  if (!MayActivate(context.remaining, least_per_call) || std::isnan(advantage)) return 0;
  if (temperature == 0) return advantage > 0 ? 1.0f : 0.0f;
  return static_cast<float>(1 / (1 + std::exp(-advantage / temperature)));
}

std::vector<Target> MakeRetraceTargets(const Batch& batch,
                                       std::span<const Values> chosen_by,
                                       std::span<const Values> valued_by,
                                       const RetraceOptions& options) {
  std::vector<Target> targets;
  targets.reserve(batch.entries.size());
  std::array<RetraceStep, kMaxSteps> of_return, of_calls;
  for (const Batch::Entry& entry : batch.entries) {
    const auto first = static_cast<std::size_t>(entry.first_horizon);
    const auto count = static_cast<std::size_t>(entry.num_horizons);
    for (std::size_t k = 0; k < count; ++k) {
      of_return[k] = of_calls[k] = {};
      const std::int32_t successor = batch.horizon_successor[first + k];
      if (successor < 0) continue;
      const auto s = static_cast<std::size_t>(successor);
      const Context& context = batch.contexts[static_cast<std::size_t>(batch.num_states) + s];
      const float p =
          ActivationProbOf(chosen_by[s], context, options.temperature, batch.least_per_call);
      const bool activated = batch.horizon_activated[first + k] != 0;
      const float trace = RetraceTrace(
          options.lambda, activated ? p : 1 - p, batch.horizon_behaviour_prob[first + k]);
      const Values& values = valued_by[s];
      of_return[k] = {trace,
                      (1 - p) * values.Return(false) + p * values.Return(true),
                      values.Return(activated)};
      of_calls[k] = {
          trace, (1 - p) * values.Calls(false) + p * values.Calls(true), values.Calls(activated)};
    }
    const auto horizons = std::span(batch.horizons).subspan(first, count);
    targets.push_back({RetraceTarget(horizons, &Horizon::reward, std::span(of_return).first(count)),
                       RetraceTarget(horizons, &Horizon::calls, std::span(of_calls).first(count))});
  }
  return targets;
}

}  // namespace londi::learner
