#include "learner/algorithms/mlp.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string_view>

namespace londi::learner {

Mlp::Mlp(Shape shape, std::string head, at::Device device, bool gradient, std::uint64_t seed)
    : shape_(shape) {
  layout_.AddTower("trunk", shape.num_inputs, shape.width, shape.layers);
  layout_.Add(head + ".weight", {shape.num_outputs, shape.width});
  layout_.Add(head + ".bias", {shape.num_outputs});
  flat_ = layout_.InitialValues(seed, [&](std::string_view name) { return name.starts_with(head); })
              .to(device);
  weights_ = ViewsOf(flat_);
  if (!gradient) return;
  gradient_ = at::zeros_like(flat_);
  gradients_ = ViewsOf(gradient_);
}

Mlp::Views Mlp::ViewsOf(const at::Tensor& flat) const {
  ParameterLayout::Reader reader(layout_, flat);
  Views views;
  views.trunk = reader.NextTower(shape_.layers);
  views.head.weight = reader.Next();
  views.head.bias = reader.Next();
  return views;
}

at::Tensor Mlp::Evaluate(const at::Tensor& inputs) const {
  const std::int64_t rows = inputs.size(0);
  const at::Tensor outputs = at::empty({rows, shape_.num_outputs}, at::kFloat);
  const std::int64_t piece = RowsAtATime(inputs);
  for (std::int64_t from = 0; from < rows; from += piece) {
    const std::int64_t count = std::min(piece, rows - from);
    const at::Tensor hidden = ClimbTower(weights_.trunk, inputs.narrow(0, from, count), nullptr);
    outputs.narrow(0, from, count)
        .copy_(at::addmm(weights_.head.bias, hidden, weights_.head.weight.t()));
  }
  return outputs;
}

void Mlp::Forward(const at::Tensor& inputs, Pass& pass) const {
  const at::Tensor hidden = ClimbTower(weights_.trunk, inputs, &pass.trunk);
  pass.outputs = at::addmm(weights_.head.bias, hidden, weights_.head.weight.t()).to(at::kCPU);
}

void Mlp::Backward(const Pass& pass, const at::Tensor& outputs) {
  DescendTower(
      weights_.trunk,
      pass.trunk,
      DescendLinear(
          weights_.head, pass.trunk.back().hidden, outputs.to(flat_.device()), gradients_.head),
      gradients_.trunk);
}

}  // namespace londi::learner
