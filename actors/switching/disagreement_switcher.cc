#include "actors/switching/disagreement_switcher.h"

#include <string>
#include <utility>

#include "core/error.h"

namespace londi::actors {

core::SwitchChoice DisagreementSwitcher::Choose(const core::SwitcherInput& input) {
  if (network_.is_empty()) return {};
  return {.activate = network_.Evaluate(input, scratch_).disagreement > threshold_,
          .version = network_.version()};
}

void DisagreementSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  MlpNetwork network(std::move(weights));
  if (!network.has_disagreement()) {
    throw core::ConfigError({.what = "weights version " + std::to_string(network.version().value) +
                                     " do not say where the LMs disagree",
                             .why = "they were trained with learner.dqn.disagreement_width = 0.",
                             .fix = "leave the disagreement rule out, or train with the tower."});
  }
  network_ = std::move(network);
}

}  // namespace londi::actors
