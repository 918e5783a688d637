#include "actors/switching/mlp_switcher.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace londi::actors {

core::SwitchChoice MlpSwitcher::Choose(const core::SwitcherInput& input) {
  if (network_.is_empty()) return {};
  const std::size_t num_features = input.features.size();
  inputs_.resize(num_features + core::kNumContextInputs);
  if (inputs_.size() != static_cast<std::size_t>(network_.num_inputs())) {
    throw core::ProtocolError(
        {.what = "QUICK's features have " + std::to_string(num_features) +
                 " values, the Switcher's weights expect " +
                 std::to_string(network_.num_inputs() - core::kNumContextInputs),
         .why = "the Switcher was trained with another QUICK.",
         .fix = "use the QUICK that the run was trained with, or start a new run."});
  }
  std::copy(input.features.begin(), input.features.end(), inputs_.begin());
  core::EncodeContext(
      input.cost, input.remaining, input.steps_left, std::span(inputs_).subspan(num_features));
  const float advantage = network_.Evaluate(inputs_, scratch_).Advantage(input.cost);
  return {.activate = advantage > 0,  // False for NaN.
          .advantage = advantage,
          .version = network_.version()};
}

void MlpSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  network_ = MlpNetwork(std::move(weights));
}

}  // namespace londi::actors
