#include "actors/switching/mlp_network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/switcher.h"
#include "core/switcher_network.h"

namespace londi::actors {
namespace {

constexpr int kNumGates = 3;  // Reset, keep, candidate.

float Sigmoid(float logit) { return 1.0f / (1.0f + std::exp(-logit)); }

}  // namespace

MlpNetwork::MlpNetwork(std::shared_ptr<const core::WeightsSnapshot> weights)
    : SnapshotLayers(std::move(weights), core::switcher_network::kArchitecture) {
  (void)weights_->Find("trunk.0.weight");  // Throws where there is none.
  trunk_ = FindTower("trunk");
  disagreement_ = FindTower("disagreement");
  num_inputs_ = static_cast<int>(trunk_.front().num_inputs());
  if (!disagreement_.empty()) {
    num_inputs_ -= core::switcher_network::kNumDisagreementInputs;
    const auto num_features = static_cast<std::int64_t>(num_inputs_ - core::kNumContextInputs);
    (void)FindArray("disagreement.0.weight",
                    {static_cast<std::int64_t>(disagreement_.front().num_outputs()), num_features});
    disagreement_logit_ = FindLinear("disagreement.logit", disagreement_.back().num_outputs(), 1);
  }
  const std::size_t width = trunk_.back().num_outputs();
  return_value_ = FindLinear("return.value", width, 1);
  return_gain_ = FindLinear("return.gain", width, 1);
  return_shadow_ = FindLinear("return.shadow", width, 1);
  calls_value_ = FindLinear("calls.value", width, 1);
  calls_gain_ = FindLinear("calls.gain", width, 1);
  calls_shadow_ = FindLinear("calls.shadow", width, 1);
  if (HasArray("memory.window")) {
    const std::vector<float>& biases = weights_->Find("memory.state.bias").values;
    const std::size_t memory_width = biases.size() / kNumGates;
    memory_width_ = static_cast<int>(memory_width);
    const int num_features = num_inputs_ - memory_width_ - core::kNumContextInputs;
    const auto outputs = static_cast<std::size_t>(kNumGates) * memory_width;
    memory_input_ =
        FindLinear("memory.input", static_cast<std::size_t>(std::max(num_features, 0)), outputs);
    memory_state_ = FindLinear("memory.state", memory_width, outputs);
    memory_window_ = static_cast<int>(FindWindow());
  }
}

float MlpNetwork::FindWindow() const {
  const float window = FindArray("memory.window", {1})[0];
  if (window >= 1 && window <= core::switcher_network::kMaxMemoryWindow) return window;
  throw core::ProtocolError(
      {.what = "memory.window of weights version " + std::to_string(version().value) + " is " +
               std::to_string(window),
       .why = "it counts the rows that a memory reads, at most " +
              std::to_string(core::switcher_network::kMaxMemoryWindow) + ".",
       .fix = "run learner and actors from the same build and configuration"});
}

core::switcher_network::Values MlpNetwork::Evaluate(std::span<const float> inputs,
                                                    Scratch& scratch) const {
  core::switcher_network::Values output;
  const std::size_t num_features = inputs.size() - core::kNumContextInputs;
  if (!disagreement_.empty()) {
    output.disagreement = Sigmoid(
        disagreement_logit_.ApplyToOne(Climb(disagreement_, inputs.first(num_features), scratch)));
    scratch.inputs.assign(inputs.begin(), inputs.end());
    scratch.inputs.push_back(output.disagreement);
    scratch.inputs.push_back(std::log(output.disagreement + core::switcher_network::kLogFloor) /
                             4.0f);
    inputs = scratch.inputs;
  }
  const std::span<const float> hidden = Climb(trunk_, inputs, scratch);
  const float limited = 1.0f - inputs[num_features + core::kUnlimitedInput];
  const float agreement = (1.0f - output.disagreement) * limited;
  const float calls_gain = calls_gain_.ApplyToOne(hidden);
  output.return_gain = return_gain_.ApplyToOne(hidden);
  output.calls_gain = calls_gain + 1.0f;
  output.return_shadow = agreement * return_shadow_.ApplyToOne(hidden);
  output.calls_shadow = agreement * calls_shadow_.ApplyToOne(hidden);
  output.return_value = return_value_.ApplyToOne(hidden);
  output.return_advantage = output.disagreement * output.return_gain + output.return_shadow;
  output.calls_value = calls_value_.ApplyToOne(hidden);
  output.calls_advantage = output.disagreement * calls_gain + output.calls_shadow + 1.0f;
  return output;
}

core::switcher_network::Values MlpNetwork::Evaluate(const core::SwitcherInput& input,
                                                    std::span<const float> memory,
                                                    Scratch& scratch) const {
  return Evaluate(MakeInputs(input, memory, num_inputs_, scratch), scratch);
}

void MlpNetwork::Remember(std::span<const float> features,
                          std::span<float> memory,
                          Scratch& scratch) const {
  const std::size_t width = memory.size();
  RequireFeatures(features.size(), memory_input_.weight.size() / memory_input_.bias.size());
  std::vector<float>&of_input = scratch.a, &of_state = scratch.b;
  of_input.resize(kNumGates * width);
  of_state.resize(kNumGates * width);
  memory_input_.Apply(features, of_input);
  memory_state_.Apply(memory, of_state);
  for (std::size_t i = 0; i < width; ++i) {
    const float reset = Sigmoid(of_input[i] + of_state[i]);
    const float keep = Sigmoid(of_input[width + i] + of_state[width + i]);
    const float candidate = std::tanh(of_input[2 * width + i] + reset * of_state[2 * width + i]);
    memory[i] = candidate + keep * (memory[i] - candidate);
  }
}

}  // namespace londi::actors
