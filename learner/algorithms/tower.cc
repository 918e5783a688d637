#include "learner/algorithms/tower.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

namespace londi::learner {

namespace {

constexpr std::int64_t kRowsInCache = 256;

}  // namespace

void Reshape(at::Tensor& tensor, at::IntArrayRef shape, const at::TensorOptions& options) {
  if (!tensor.defined() || tensor.sizes() != shape) tensor = at::empty(shape, options);
}

at::Tensor ClimbTower(const Tower& tower, at::Tensor inputs, std::vector<KeptLayer>* keep) {
  at::Tensor hidden = std::move(inputs);
  if (keep != nullptr) keep->resize(tower.size());
  for (std::size_t i = 0; i < tower.size(); ++i) {
    const auto& [weight, norm] = tower[i];
    if (keep == nullptr) {
      hidden = at::mm(hidden, weight.t());
      NormReluInPlace(norm, hidden);
      continue;
    }
    KeptLayer& layer = (*keep)[i];
    const std::int64_t rows = hidden.size(0), width = weight.size(0);
    layer.inputs = hidden;
    Reshape(layer.normalized, {rows, width}, hidden.options());
    Reshape(layer.hidden, {rows, width}, hidden.options());
    Reshape(layer.inverse_deviations, {rows}, hidden.options());
    at::mm_out(layer.normalized, hidden, weight.t());
    NormRelu(norm, layer.normalized, layer.hidden, layer.inverse_deviations);
    hidden = layer.hidden;
  }
  return hidden;
}

at::Tensor DescendTower(const Tower& tower,
                        const std::vector<KeptLayer>& kept,
                        at::Tensor gradient,
                        const Tower& out) {
  for (std::size_t i = tower.size(); i-- > 0;) {
    const KeptLayer& layer = kept[i];
    NormReluBackward(tower[i].norm,
                     layer.normalized,
                     layer.hidden,
                     layer.inverse_deviations,
                     gradient,
                     out[i].norm);
    at::Tensor of_weight = out[i].weight;
    at::mm_out(of_weight, gradient.t(), layer.inputs);
    if (i > 0) gradient = at::mm(gradient, tower[i].weight);
  }
  return gradient;
}

at::Tensor DescendLinear(const LinearLayer& layer,
                         const at::Tensor& inputs,
                         const at::Tensor& gradient,
                         const LinearLayer& out) {
  at::Tensor of_weight = out.weight, of_bias = out.bias;
  at::mm_out(of_weight, gradient.t(), inputs);
  at::sum_out(of_bias, gradient, 0);
  return at::mm(gradient, layer.weight);
}

std::int64_t RowsAtATime(const at::Tensor& inputs) {
  const bool one_core = inputs.is_cpu() && at::get_num_threads() == 1;
  return one_core ? kRowsInCache : std::max<std::int64_t>(inputs.size(0), 1);
}

}  // namespace londi::learner
