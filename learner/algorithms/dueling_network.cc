#include "learner/algorithms/dueling_network.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "core/error.h"
#include "core/switcher_network.h"
#include "learner/random.h"

namespace londi::learner {
namespace {

constexpr const char* kHeads[] = {
    "return.value", "return.advantage", "calls.value", "calls.advantage"};
constexpr int kNumHeads = 4;

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

DuelingNetwork::DuelingNetwork(Shape shape, at::Device device, bool gradient) : shape_(shape) {
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < shape.layers; ++i) {
    const std::string layer = "trunk." + std::to_string(i);
    const std::int64_t inputs = i == 0 ? shape.num_inputs : shape.width;
    offsets.push_back(AddSlot(layer + ".weight", {shape.width, inputs}));
    offsets.push_back(AddSlot(layer + ".bias", {shape.width}));
    offsets.push_back(AddSlot(layer + ".norm.weight", {shape.width}));
    offsets.push_back(AddSlot(layer + ".norm.bias", {shape.width}));
  }
  // The four heads lie side by side: one [4, width] matrix.
  const std::int64_t heads_weight = size_;
  for (const char* head : kHeads) AddSlot(std::string(head) + ".weight", {1, shape.width});
  const std::int64_t heads_bias = size_;
  for (const char* head : kHeads) AddSlot(std::string(head) + ".bias", {1});

  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  flat_ = at::zeros({size_}, options);
  if (gradient) gradient_ = at::zeros({size_}, options);
  for (int i = 0; i < shape.layers; ++i) {
    const auto first = static_cast<std::size_t>(4 * i);
    const std::int64_t inputs = i == 0 ? shape.num_inputs : shape.width;
    flat_.narrow(0, offsets[first + 2], shape.width).fill_(1);
    layers_.push_back({View(offsets[first], {shape.width, inputs}),
                       View(offsets[first + 1], {shape.width}),
                       View(offsets[first + 2], {shape.width}),
                       View(offsets[first + 3], {shape.width})});
  }
  heads_weight_ = View(heads_weight, {kNumHeads, shape.width});
  heads_bias_ = View(heads_bias, {kNumHeads});
}

std::int64_t DuelingNetwork::AddSlot(std::string name, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  slots_.push_back({std::move(name), std::move(shape), size_, size});
  size_ += size;
  return slots_.back().offset;
}

// A leaf for autograd whose memory, and whose gradient's memory, is a part of the flat tensors.
at::Tensor DuelingNetwork::View(std::int64_t offset, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  at::Tensor view = flat_.narrow(0, offset, size).view(shape).detach();
  if (gradient_.defined()) {
    view.requires_grad_(true);
    view.mutable_grad() = gradient_.narrow(0, offset, size).view(shape);
  }
  return view;
}

void DuelingNetwork::Initialize(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(size_), 0.0f);
  double bound = 0;
  for (const Slot& slot : slots_) {
    if (!slot.name.starts_with("trunk.")) continue;
    if (slot.shape.size() == 2)
      bound = 1 / std::sqrt(static_cast<double>(slot.shape[1]));  // Its bias follows it.
    const bool is_norm = slot.name.find(".norm.") != std::string::npos;
    const bool is_scale = slot.name.ends_with(".norm.weight");
    for (std::int64_t i = 0; i < slot.size; ++i) {
      values[static_cast<std::size_t>(slot.offset + i)] =
          is_norm ? (is_scale ? 1.0f : 0.0f)
                  : static_cast<float>((2 * random.Uniform() - 1) * bound);
    }
  }
  flat_.copy_(at::from_blob(values.data(), {size_}, at::kFloat));
}

at::Tensor DuelingNetwork::Forward(const at::Tensor& inputs) const {
  at::Tensor hidden = inputs;
  for (const Layer& layer : layers_) {
    hidden = at::linear(hidden, layer.weight, layer.bias);
    hidden = at::layer_norm(hidden,
                            {shape_.width},
                            layer.norm_weight,
                            layer.norm_bias,
                            core::switcher_network::kLayerNormEpsilon);
    hidden = at::relu(hidden);
  }
  return at::linear(hidden, heads_weight_, heads_bias_);
}

std::vector<core::NamedArray> DuelingNetwork::ToArrays(const at::Tensor& flat,
                                                       const std::string& prefix) const {
  const at::Tensor host = flat.to(at::kCPU).contiguous();
  const float* values = host.data_ptr<float>();
  std::vector<core::NamedArray> arrays;
  for (const Slot& slot : slots_) {
    arrays.push_back(
        {prefix + slot.name, slot.shape, {values + slot.offset, values + slot.offset + slot.size}});
  }
  return arrays;
}

void DuelingNetwork::FromArrays(const std::vector<core::NamedArray>& arrays,
                                const std::string& prefix,
                                const at::Tensor& into) const {
  std::map<std::string, const core::NamedArray*> by_name;
  for (const core::NamedArray& array : arrays) by_name[array.name] = &array;
  std::vector<float> values(static_cast<std::size_t>(size_));
  for (const Slot& slot : slots_) {
    const auto found = by_name.find(prefix + slot.name);
    const bool fits = found != by_name.end() && found->second->shape == slot.shape &&
                      found->second->values.size() == static_cast<std::size_t>(slot.size);
    if (!fits) {
      const std::string is =
          found == by_name.end() ? "is missing" : "has shape " + ShapeText(found->second->shape);
      throw core::ModelError(
          {.what = "the checkpoint's array '" + prefix + slot.name + "' " + is,
           .why = "the configured network needs " + ShapeText(slot.shape) +
                  ": width, layers or the number of features differ from those of the checkpoint",
           .fix = "set learner.dqn.width and layers as in the run's resolved "
                  "configuration and use its "
                  "QUICK model, or start a new run folder"});
    }
    std::copy(
        found->second->values.begin(), found->second->values.end(), values.begin() + slot.offset);
  }
  into.copy_(at::from_blob(values.data(), {size_}, at::kFloat));
}

}  // namespace londi::learner
