#include "actors/switching/mlp_switcher.h"

#include <utility>

namespace londi::actors {

core::SwitchChoice MlpSwitcher::Choose(const core::SwitcherInput& input) {
  const core::switcher_network::Values values = network_.Evaluate(input);
  if (network_.is_empty()) return {};
  return {.activate = values.Activates(input.cost),
          .advantage = values.Advantage(input.cost),
          .disagreement = values.disagreement,
          .version = network_.network().version()};
}

void MlpSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  network_.Load(std::move(weights));
}

}  // namespace londi::actors
