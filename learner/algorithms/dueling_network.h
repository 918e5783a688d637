#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/weights.h"

namespace londi::learner {

// The network of core/switcher_network.h in LibTorch. All parameters lie in one flat tensor, in the
// order of the snapshot's arrays, so that optimizer, averaging and clipping are one operation each;
// the layers are views of it.
class DuelingNetwork {
 public:
  struct Shape {
    int num_inputs = 0;
    int width = 0;
    int layers = 0;
  };
  // Parameters are 0, LayerNorm scales 1. `gradient`: room for gradients of the same layout is
  // made, and Forward is recorded for backward().
  DuelingNetwork(Shape shape, at::Device device, bool gradient);

  // Linear layers uniform in +-1/sqrt(inputs) (PyTorch's default), heads 0.
  void Initialize(std::uint64_t seed);

  // inputs [n, num_inputs] -> [n, 4]: V_R, A_R, V_N, A_N.
  at::Tensor Forward(const at::Tensor& inputs) const;

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
  std::int64_t AddSlot(std::string name, std::vector<std::int64_t> shape);
  at::Tensor View(std::int64_t offset, std::vector<std::int64_t> shape);

  Shape shape_;
  std::vector<Slot> slots_;
  std::int64_t size_ = 0;
  at::Tensor flat_;
  at::Tensor gradient_;  // Undefined without gradients.
  std::vector<Layer> layers_;
  at::Tensor heads_weight_;  // [4, width]
  at::Tensor heads_bias_;    // [4]
};

}  // namespace londi::learner
