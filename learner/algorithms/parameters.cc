#include "learner/algorithms/parameters.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "learner/replay/random.h"

namespace londi::learner {
namespace {

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

void ParameterLayout::Add(std::string name, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  slots_.push_back({std::move(name), std::move(shape), size_, size});
  size_ += size;
}

void ParameterLayout::AddTower(const std::string& name, int num_inputs, int width, int layers) {
  for (int i = 0; i < layers; ++i) {
    const std::string layer = name + "." + std::to_string(i);
    Add(layer + ".weight", {width, i == 0 ? num_inputs : width});
    Add(layer + ".bias", {width});
    Add(layer + ".norm.weight", {width});
    Add(layer + ".norm.bias", {width});
  }
}

at::Tensor ParameterLayout::InitialValues(
    std::uint64_t seed, const std::function<bool(std::string_view)>& is_zero) const {
  Random random(seed);
  at::Tensor values = at::zeros({size_}, at::kFloat);
  float* const out = values.data_ptr<float>();
  double bound = 0;
  for (const Slot& slot : slots_) {
    if (is_zero(slot.name)) continue;
    if (slot.shape.size() == 2)
      bound = 1 / std::sqrt(static_cast<double>(slot.shape[1]));  // Its bias follows it.
    const bool is_norm = slot.name.find(".norm.") != std::string::npos;
    const bool is_scale = slot.name.ends_with(".norm.weight");
    for (std::int64_t i = 0; i < slot.size; ++i) {
      out[slot.offset + i] = is_norm ? (is_scale ? 1.0f : 0.0f)
                                     : static_cast<float>((2 * random.Uniform() - 1) * bound);
    }
  }
  return values;
}

std::vector<core::NamedArray> ParameterLayout::ToArrays(const at::Tensor& flat,
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

void ParameterLayout::FromArrays(const std::vector<core::NamedArray>& arrays,
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
                  ": widths, layers or the number of features differ from those of the checkpoint",
           .fix = "set the algorithm's options (learner.dqn.width and so on) as in the run's "
                  "resolved configuration and use its QUICK model, or start a new run folder"});
    }
    std::copy(
        found->second->values.begin(), found->second->values.end(), values.begin() + slot.offset);
  }
  into.copy_(at::from_blob(values.data(), {size_}, at::kFloat));
}

at::Tensor ParameterLayout::Reader::Next() {
  const Slot& slot = layout_.slots_[next_++];
  return flat_.narrow(0, slot.offset, slot.size).view(slot.shape);
}

Tower ParameterLayout::Reader::NextTower(int layers) {
  Tower tower(static_cast<std::size_t>(layers));
  for (TowerLayer& layer : tower) {
    layer.weight = Next();
    layer.norm.bias = Next();
    layer.norm.scale = Next();
    layer.norm.shift = Next();
  }
  return tower;
}

at::Tensor ParameterLayout::Reader::NextTogether(std::size_t arrays, at::IntArrayRef shape) {
  const Slot& first = layout_.slots_[next_];
  std::int64_t size = 0;
  for (std::size_t i = 0; i < arrays; ++i) size += layout_.slots_[next_++].size;
  return flat_.narrow(0, first.offset, size).view(shape);
}

}  // namespace londi::learner
