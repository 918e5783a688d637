#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "learner/algorithms/norm_relu.h"

// What the learner's networks are made of, forwards and backwards: towers (Linear -> LayerNorm ->
// ReLU, see core/switcher_network.h) and linear layers. Tensors are fp32 of one device.
namespace londi::learner {

struct TowerLayer {
  at::Tensor weight;  // [width, inputs]
  NormReluWeights norm;
};
using Tower = std::vector<TowerLayer>;

struct LinearLayer {
  at::Tensor weight, bias;  // [outputs, inputs], [outputs]
};

// What the gradient of a layer needs of its forward pass.
struct KeptLayer {
  at::Tensor inputs, normalized, hidden, inverse_deviations;
};

// The last layer's output for `inputs` [n, inputs]. `keep`: for DescendTower; nullptr = nothing is
// kept. What is used again keeps its memory.
at::Tensor ClimbTower(const Tower& tower, at::Tensor inputs, std::vector<KeptLayer>* keep);

// `gradient` with respect to the tower's output; overwritten. Fills `out`, the gradients of the
// weights. Returns the gradient with respect to the first layer's product of weight and inputs.
at::Tensor DescendTower(const Tower& tower,
                        const std::vector<KeptLayer>& kept,
                        at::Tensor gradient,
                        const Tower& out);

// The same of a linear layer; returns the gradient with respect to `inputs`.
at::Tensor DescendLinear(const LinearLayer& layer,
                         const at::Tensor& inputs,
                         const at::Tensor& gradient,
                         const LinearLayer& out);

// How many of `inputs` are taken through a network at a time where nothing is kept, >= 1. One core
// takes few: what a layer hands to the next stays in its cache. Several would wait for one another
// once per piece and layer.
std::int64_t RowsAtATime(const at::Tensor& inputs);

// `tensor` with that shape, its memory where that has it already.
void Reshape(at::Tensor& tensor, at::IntArrayRef shape, const at::TensorOptions& options);

}  // namespace londi::learner
