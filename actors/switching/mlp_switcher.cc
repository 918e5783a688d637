#include "actors/switching/mlp_switcher.h"

#include <utility>

namespace londi::actors {

core::SwitchChoice MlpSwitcher::Choose(const core::SwitcherInput& input) {
  if (network_.is_empty()) return {};
  const MlpNetwork::Output output = network_.Evaluate(input, scratch_);
  const float advantage = output.Advantage(input.cost);
  return {.activate = advantage > 0,  // False for NaN.
          .advantage = advantage,
          .disagreement = output.disagreement,
          .version = network_.version()};
}

void MlpSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  network_ = MlpNetwork(std::move(weights));
}

}  // namespace londi::actors
