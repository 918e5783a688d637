#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/weights.h"
#include "learner/algorithms/parameters.h"
#include "learner/algorithms/tower.h"

namespace londi::learner {

// A tower and one linear layer behind it: policies and critics of few numbers. Arrays "trunk.<i>."
// and "<head>.{weight,bias}"; the network of core/policy_network.h is one of these. All parameters
// lie in one flat tensor, in the order of the arrays.
class Mlp {
 public:
  struct Shape {
    int num_inputs = 0;  // Features and context.
    int width = 0;
    int layers = 0;
    int num_outputs = 1;
  };

  // With the weights that `seed` gives; the head is 0. `gradient`: room for gradients of the same
  // layout is made.
  Mlp(Shape shape, std::string head, at::Device device, bool gradient, std::uint64_t seed);

  // inputs [n, num_inputs]. Returns [n, num_outputs] on the host.
  at::Tensor Evaluate(const at::Tensor& inputs) const;

  // The same, and what Backward needs of it. A pass that is used again keeps its memory.
  struct Pass {
    at::Tensor outputs;  // [n, num_outputs] on the host.
    std::vector<KeptLayer> trunk;
  };
  void Forward(const at::Tensor& inputs, Pass& pass) const;

  // Fills flat_gradient(). `outputs` [n, num_outputs] on the host: derivatives with respect to
  // pass.outputs.
  void Backward(const Pass& pass, const at::Tensor& outputs);

  const at::Tensor& flat() const { return flat_; }
  const at::Tensor& flat_gradient() const { return gradient_; }  // Filled by Backward.
  const ParameterLayout& layout() const { return layout_; }      // Of both.

 private:
  struct Views {
    Tower trunk;
    LinearLayer head;
  };
  Views ViewsOf(const at::Tensor& flat) const;

  Shape shape_;
  ParameterLayout layout_;
  at::Tensor flat_;
  at::Tensor gradient_;  // Undefined without gradients.
  Views weights_;
  Views gradients_;  // Undefined without gradients.
};

}  // namespace londi::learner
