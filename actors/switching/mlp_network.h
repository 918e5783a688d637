#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "core/weights.h"

namespace londi::actors {

// Forward pass of the network in core/switcher_network.h without LibTorch. Reads the arrays where
// they lie in the snapshot: all Switchers of a process share one copy of the weights.
class MlpNetwork {
 public:
  MlpNetwork() = default;  // Empty: nothing may be evaluated.
  // Throws core::ProtocolError for another architecture or inconsistent shapes.
  explicit MlpNetwork(std::shared_ptr<const core::WeightsSnapshot> weights);

  // Reused between calls of one thread, so that evaluating allocates nothing.
  struct Scratch {
    std::vector<float> context, inputs, a, b;
  };

  // inputs [num_inputs()]
  core::switcher_network::Values Evaluate(std::span<const float> inputs, Scratch& scratch) const;
  // The same for what a Switcher is asked. Throws core::ProtocolError when the features are not of
  // the width that the weights were made for.
  core::switcher_network::Values Evaluate(const core::SwitcherInput& input, Scratch& scratch) const;

  bool is_empty() const { return weights_ == nullptr; }
  bool has_disagreement() const { return !disagreement_.empty(); }
  float margin() const { return margin_; }  // Of ChooseGreedily.
  int num_inputs() const { return num_inputs_; }
  core::WeightsVersion version() const {
    return weights_ ? weights_->version : core::WeightsVersion();
  }

 private:
  struct Linear {
    std::span<const float> weight;  // [out, in]
    std::span<const float> bias;    // [out]
    void Apply(std::span<const float> in, std::span<float> out) const;
    float ApplyToOne(std::span<const float> in) const;  // Where out is 1.
  };
  struct Layer {
    Linear linear;
    std::span<const float> norm_weight, norm_bias;  // [out]
    std::size_t num_outputs() const { return linear.bias.size(); }
    std::size_t num_inputs() const { return linear.weight.size() / linear.bias.size(); }
  };
  using Tower = std::vector<Layer>;
  // Layers "<name>.0", "<name>.1", ...; none where there is no such array.
  Tower FindTower(const std::string& name) const;
  bool HasArray(std::string_view name) const;
  Linear FindLinear(const std::string& name, std::size_t in, std::size_t out) const;
  std::span<const float> FindArray(const std::string& name, std::vector<std::int64_t> shape) const;
  // The last layer's output; lies in `scratch`.
  static std::span<const float> Climb(const Tower& tower,
                                      std::span<const float> in,
                                      Scratch& scratch);

  std::shared_ptr<const core::WeightsSnapshot> weights_;
  int num_inputs_ = 0;
  Tower trunk_;
  Linear return_value_, return_gain_, return_shadow_;
  Linear calls_value_, calls_gain_, calls_shadow_;
  Linear plans_return_, plans_calls_;
  float margin_ = core::switcher_network::kNoPlans;
  Tower disagreement_;  // Empty: d = 1.
  Linear disagreement_logit_;
};

}  // namespace londi::actors
