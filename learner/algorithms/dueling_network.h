#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/switcher_network.h"
#include "core/weights.h"
#include "learner/algorithms/norm_relu.h"

namespace londi::learner {

// The network of core/switcher_network.h in LibTorch. All parameters lie in one flat tensor, in the
// order of the snapshot's arrays, so that optimizer, averaging and clipping are one operation each;
// the layers are views of it.
class DuelingNetwork {
 public:
  struct Shape {
    int num_inputs = 0;  // Features and context.
    int width = 0;
    int layers = 0;
    int disagreement_width = 0;  // Of its tower of kDisagreementLayers; 0 = none, d = 1.
    bool plans = false;
    bool branching = false;  // The gains have a gradient of their own, and none of the advantages'.
  };
  static constexpr int kDisagreementLayers = 2;
  static constexpr int kNumValues = sizeof(core::switcher_network::Values) / sizeof(float);

  // Parameters are 0, LayerNorm scales 1. `gradient`: room for gradients of the same layout is
  // made.
  DuelingNetwork(Shape shape, at::Device device, bool gradient);

  // Linear layers uniform in +-1/sqrt(inputs) (PyTorch's default), heads 0.
  void Initialize(std::uint64_t seed);

  // inputs [n, num_inputs]. Returns [n, kNumValues] on the host, rows laid out as core's Values.
  at::Tensor Evaluate(const at::Tensor& inputs) const;

  // The same, and what Backward needs of it. A pass that is used again keeps its memory.
  struct Pass {
    at::Tensor values;               // [n, kNumValues] on the host.
    at::Tensor disagreement_logits;  // [n] on the host; undefined without the tower.

    struct Layer {
      at::Tensor inputs, normalized, hidden, inverse_deviations;
    };
    std::vector<Layer> trunk, disagreement;
    at::Tensor limited;  // [n] on the host: l of core/switcher_network.h.
  };
  void Forward(const at::Tensor& inputs, Pass& pass) const;

  // Fills flat_gradient(). The values' gradient does not reach the disagreement tower: what it is
  // taught is DEEPTHINK's answers, not what would suit the values.
  //   values   [n, kNumValues] on the host, derivatives with respect to pass.values; that of d is
  //            ignored
  //   logits   [n] on the host, the same of disagreement_logits; undefined without the tower
  void Backward(const Pass& pass, const at::Tensor& values, const at::Tensor& logits);

  const at::Tensor& flat() const { return flat_; }  // [num_parameters]
  const at::Tensor& flat_gradient() const {
    return gradient_;
  }  // The same layout; filled by Backward.
  std::int64_t num_parameters() const { return flat_.numel(); }

  // A flat tensor of this layout as named arrays, `prefix` before each name; and back. Throws
  // core::ModelError when an array is missing or has another shape; `into` is unchanged then.
  std::vector<core::NamedArray> ToArrays(const at::Tensor& flat, const std::string& prefix) const;
  void FromArrays(const std::vector<core::NamedArray>& arrays,
                  const std::string& prefix,
                  const at::Tensor& into) const;

 private:
  struct Slot {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;
    std::int64_t size = 0;
  };
  struct Linear {
    at::Tensor weight, bias;
  };
  struct Layer {
    at::Tensor weight;
    NormReluWeights norm;
  };
  using Tower = std::vector<Layer>;
  // The flat tensor's parts.
  struct Views {
    Tower trunk;
    // [6 or 6 + 2 kNumPlans, width]: value, gain, shadow of the returns, then of the calls; then
    // the plans' returns and calls.
    Linear heads;
    Tower disagreement;
    Linear disagreement_logit;  // [1, disagreement_width]
  };
  struct Raw {
    at::Tensor heads;         // [n, number of heads]
    at::Tensor logits;        // [n, 1]; undefined without the tower.
    at::Tensor disagreement;  // [n, 1] d; the same.
  };
  std::int64_t AddSlot(std::string name, std::vector<std::int64_t> shape);
  void AddTowerSlots(const std::string& name, int num_inputs, int width, int layers);
  Views ViewsOf(const at::Tensor& flat) const;
  // `keep`: for Backward; nullptr = nothing is kept.
  Raw Climb(const at::Tensor& inputs, Pass* keep) const;
  at::Tensor Limited(const at::Tensor& inputs) const;
  void ToValues(const Raw& raw, const at::Tensor& limited, at::Tensor values) const;
  at::Tensor HeadsGradient(const Pass& pass, const at::Tensor& values) const;
  int num_features() const;

  Shape shape_;
  std::vector<Slot> slots_;
  std::int64_t size_ = 0;
  at::Tensor flat_;
  at::Tensor gradient_;  // Undefined without gradients.
  Views weights_;
  Views gradients_;  // Undefined without gradients.
};

}  // namespace londi::learner
