#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/switcher_network.h"
#include "core/weights.h"

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
  // made, and Forward is recorded for backward().
  DuelingNetwork(Shape shape, at::Device device, bool gradient);

  // Linear layers uniform in +-1/sqrt(inputs) (PyTorch's default), heads 0.
  void Initialize(std::uint64_t seed);

  struct Output {
    at::Tensor values;               // [n, kNumValues], rows laid out as core's Values.
    at::Tensor disagreement_logits;  // [n]; undefined without the tower.
  };
  // inputs [n, num_inputs]. The values' gradient does not reach the disagreement tower: what it is
  // taught is DEEPTHINK's answers, not what would suit the values.
  Output Forward(const at::Tensor& inputs) const;

  const at::Tensor& flat() const { return flat_; }  // [num_parameters]
  const at::Tensor& flat_gradient() const {
    return gradient_;
  }  // The same layout; filled by backward().
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
  struct Layer {
    at::Tensor weight, bias, norm_weight, norm_bias;
  };
  using Tower = std::vector<Layer>;
  struct Linear {
    at::Tensor weight, bias;
  };
  std::int64_t AddSlot(std::string name, std::vector<std::int64_t> shape);
  // Offset of the first of their slots.
  std::int64_t AddTowerSlots(const std::string& name, int num_inputs, int width, int layers);
  Tower ViewTower(std::int64_t offset, int num_inputs, int width, int layers);
  static at::Tensor Climb(const Tower& tower, at::Tensor hidden);
  at::Tensor View(std::int64_t offset, std::vector<std::int64_t> shape);

  Shape shape_;
  std::vector<Slot> slots_;
  std::int64_t size_ = 0;
  at::Tensor flat_;
  at::Tensor gradient_;  // Undefined without gradients.
  Tower trunk_;
  // [6 or 6 + 2 kNumPlans, width]: value, gain, shadow of the returns, then of the calls; then the
  // plans' returns and calls.
  Linear heads_;
  Tower disagreement_;
  Linear disagreement_logit_;  // [1, disagreement_width]
};

}  // namespace londi::learner
