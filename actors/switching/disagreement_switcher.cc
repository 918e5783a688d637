#include "actors/switching/disagreement_switcher.h"

#include <string>
#include <utility>

#include "core/error.h"

namespace londi::actors {

core::SwitchChoice DisagreementSwitcher::Choose(const core::SwitcherInput& input) {
  const core::switcher_network::Values values = network_.Evaluate(input);
  if (network_.is_empty()) return {};
  return {.activate = values.disagreement > threshold_, .version = network_.network().version()};
}

void DisagreementSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  const MlpNetwork network(weights);
  if (!network.has_disagreement()) {
    throw core::ConfigError({.what = "weights version " + std::to_string(network.version().value) +
                                     " do not say where the LMs disagree",
                             .why = "they were trained with learner.dqn.disagreement_width = 0.",
                             .fix = "leave the disagreement rule out, or train with the tower."});
  }
  network_.Load(std::move(weights));
}

}  // namespace londi::actors
