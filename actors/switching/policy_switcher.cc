#include "actors/switching/policy_switcher.h"

#include <string>
#include <utility>

#include "core/policy_network.h"

namespace londi::actors {

PolicyNetwork::PolicyNetwork(std::shared_ptr<const core::WeightsSnapshot> weights)
    : SnapshotLayers(std::move(weights), core::policy_network::kArchitecture) {
  (void)weights_->Find("trunk.0.weight");  // Throws where there is none.
  trunk_ = FindTower("trunk");
  logit_ = FindLinear(std::string(core::policy_network::kHead), trunk_.back().num_outputs(), 1);
}

float PolicyNetwork::Evaluate(const core::SwitcherInput& input, Scratch& scratch) const {
  const auto num_inputs = static_cast<int>(trunk_.front().num_inputs());
  return logit_.ApplyToOne(Climb(trunk_, MakeInputs(input, {}, num_inputs, scratch), scratch));
}

core::SwitchChoice PolicySwitcher::Choose(const core::SwitcherInput& input) {
  if (network_.is_empty()) return {};
  const float logit = network_.Evaluate(input, scratch_);
  return {.activate = logit > 0,
          .version = network_.version(),
          .activation_prob = core::policy_network::ActivationProb(logit)};
}

void PolicySwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  network_ = PolicyNetwork(std::move(weights));
}

}  // namespace londi::actors
