#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/switcher.h"
#include "core/weights.h"

namespace londi::actors {

// What the networks of core/switcher_network.h and core/policy_network.h are made of, evaluated
// without LibTorch. Reads the arrays where they lie in the snapshot: all Switchers of a process
// share one copy of the weights. The base of a network, which finds its layers when it is made.
class SnapshotLayers {
 public:
  // Reused between calls of one thread, so that evaluating allocates nothing.
  struct Scratch {
    std::vector<float> context, inputs, a, b;
  };

  bool is_empty() const { return weights_ == nullptr; }
  core::WeightsVersion version() const {
    return weights_ ? weights_->version : core::WeightsVersion();
  }

 protected:
  SnapshotLayers() = default;  // Empty.
  // Throws core::ProtocolError for another architecture, as the Find functions do for shapes that
  // do not fit.
  SnapshotLayers(std::shared_ptr<const core::WeightsSnapshot> weights,
                 std::string_view architecture);

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
  // Features, memory (empty where there is none) and context of what a Switcher is asked; lies in
  // `scratch`. Throws core::ProtocolError when they are not `num_inputs`.
  static std::span<const float> MakeInputs(const core::SwitcherInput& input,
                                           std::span<const float> memory,
                                           int num_inputs,
                                           Scratch& scratch);
  // Throws core::ProtocolError unless QUICK's features are as many as the weights expect.
  static void RequireFeatures(std::size_t num_features, std::size_t expected);

  std::shared_ptr<const core::WeightsSnapshot> weights_;
};

}  // namespace londi::actors
