#pragma once

#include <ATen/core/Tensor.h>

// LayerNorm and ReLU behind a matrix product, and their gradients: one pass over memory each, where
// LibTorch's operators make four and seven. On the CPU with the widest vectors it has; on other
// devices the same with LibTorch's operators. All tensors are contiguous fp32 of one device.
namespace londi::learner {

struct NormReluWeights {
  at::Tensor bias;   // [width] Of the product.
  at::Tensor scale;  // [width] Of the normalized row.
  at::Tensor shift;  // [width]
};

// hidden = relu(scale * normalized(product + bias) + shift), normalized as LayerNorm with
// core::switcher_network::kLayerNormEpsilon.
//   product             [n, width]; becomes normalized(product + bias)
//   hidden              [n, width]
//   inverse_deviations  [n] of product + bias
void NormRelu(const NormReluWeights& weights,
              const at::Tensor& product,
              const at::Tensor& hidden,
              const at::Tensor& inverse_deviations);

// The same, `hidden` instead of `product`; no gradient can be made from it.
void NormReluInPlace(const NormReluWeights& weights, const at::Tensor& product);

// From what NormRelu left.
//   gradient  [n, width] with respect to hidden; becomes that with respect to the product
//   out       gradients of the weights, overwritten
void NormReluBackward(const NormReluWeights& weights,
                      const at::Tensor& normalized,
                      const at::Tensor& hidden,
                      const at::Tensor& inverse_deviations,
                      const at::Tensor& gradient,
                      const NormReluWeights& out);

}  // namespace londi::learner
