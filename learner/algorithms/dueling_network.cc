#include "learner/algorithms/dueling_network.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "core/error.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "learner/random.h"

namespace londi::learner {
namespace {

constexpr const char* kHeads[] = {
    "return.value", "return.gain", "return.shadow", "calls.value", "calls.gain", "calls.shadow"};
constexpr int kNumHeads = 6;
constexpr const char* kPlanHeads[] = {"plans.return", "plans.calls"};
using core::switcher_network::kNumPlans;

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

DuelingNetwork::DuelingNetwork(Shape shape, at::Device device, bool gradient) : shape_(shape) {
  const bool has_disagreement = shape.disagreement_width > 0;
  const int num_features = shape.num_inputs - core::kNumContextInputs;
  const int trunk_inputs =
      shape.num_inputs + (has_disagreement ? core::switcher_network::kNumDisagreementInputs : 0);
  const std::int64_t trunk = AddTowerSlots("trunk", trunk_inputs, shape.width, shape.layers);
  // The heads lie side by side: one matrix.
  const int num_heads = kNumHeads + (shape.plans ? 2 * kNumPlans : 0);
  const std::int64_t heads_weight = size_;
  for (const char* head : kHeads) AddSlot(std::string(head) + ".weight", {1, shape.width});
  if (shape.plans) {
    for (const char* head : kPlanHeads)
      AddSlot(std::string(head) + ".weight", {kNumPlans, shape.width});
  }
  const std::int64_t heads_bias = size_;
  for (const char* head : kHeads) AddSlot(std::string(head) + ".bias", {1});
  if (shape.plans) {
    for (const char* head : kPlanHeads) AddSlot(std::string(head) + ".bias", {kNumPlans});
  }
  std::int64_t disagreement = 0, logit_weight = 0, logit_bias = 0;
  if (has_disagreement) {
    disagreement =
        AddTowerSlots("disagreement", num_features, shape.disagreement_width, kDisagreementLayers);
    logit_weight = AddSlot("disagreement.logit.weight", {1, shape.disagreement_width});
    logit_bias = AddSlot("disagreement.logit.bias", {1});
  }

  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  flat_ = at::zeros({size_}, options);
  if (gradient) gradient_ = at::zeros({size_}, options);
  trunk_ = ViewTower(trunk, trunk_inputs, shape.width, shape.layers);
  heads_ = {View(heads_weight, {num_heads, shape.width}), View(heads_bias, {num_heads})};
  if (has_disagreement) {
    disagreement_ =
        ViewTower(disagreement, num_features, shape.disagreement_width, kDisagreementLayers);
    disagreement_logit_ = {View(logit_weight, {1, shape.disagreement_width}),
                           View(logit_bias, {1})};
  }
}

std::int64_t DuelingNetwork::AddTowerSlots(const std::string& name,
                                           int num_inputs,
                                           int width,
                                           int layers) {
  const std::int64_t first = size_;
  for (int i = 0; i < layers; ++i) {
    const std::string layer = name + "." + std::to_string(i);
    AddSlot(layer + ".weight", {width, i == 0 ? num_inputs : width});
    AddSlot(layer + ".bias", {width});
    AddSlot(layer + ".norm.weight", {width});
    AddSlot(layer + ".norm.bias", {width});
  }
  return first;
}

DuelingNetwork::Tower DuelingNetwork::ViewTower(std::int64_t offset,
                                                int num_inputs,
                                                int width,
                                                int layers) {
  Tower tower;
  for (int i = 0; i < layers; ++i) {
    const std::int64_t inputs = i == 0 ? num_inputs : width;
    const std::int64_t bias = offset + width * inputs;
    const at::Tensor norm_weight = View(bias + width, {width});
    const at::NoGradGuard no_gradient;
    norm_weight.fill_(1);
    tower.push_back({View(offset, {width, inputs}),
                     View(bias, {width}),
                     norm_weight,
                     View(bias + 2 * width, {width})});
    offset = bias + 3 * width;
  }
  return tower;
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
    const auto is_of = [&](const char* head) { return slot.name.starts_with(head); };
    if (std::ranges::any_of(kHeads, is_of) || std::ranges::any_of(kPlanHeads, is_of) ||
        is_of("disagreement.logit."))
      continue;
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

at::Tensor DuelingNetwork::Climb(const Tower& tower, at::Tensor hidden) {
  for (const Layer& layer : tower) {
    hidden = at::linear(hidden, layer.weight, layer.bias);
    hidden = at::layer_norm(hidden,
                            layer.norm_weight.sizes(),
                            layer.norm_weight,
                            layer.norm_bias,
                            core::switcher_network::kLayerNormEpsilon);
    hidden = at::relu(hidden);
  }
  return hidden;
}

DuelingNetwork::Output DuelingNetwork::Forward(const at::Tensor& inputs) const {
  const std::int64_t num_features = shape_.num_inputs - core::kNumContextInputs;
  Output output;
  at::Tensor disagreement, trunk_inputs = inputs;
  if (!disagreement_.empty()) {
    const at::Tensor logits = at::linear(Climb(disagreement_, inputs.narrow(1, 0, num_features)),
                                         disagreement_logit_.weight,
                                         disagreement_logit_.bias);
    output.disagreement_logits = logits.squeeze(1);
    disagreement = logits.detach().sigmoid();
    const at::Tensor scaled_log = (disagreement + core::switcher_network::kLogFloor).log() / 4;
    trunk_inputs = at::cat({inputs, disagreement, scaled_log}, 1);
  }
  const at::Tensor raw = at::linear(Climb(trunk_, trunk_inputs), heads_.weight, heads_.bias);
  const auto head = [&](std::int64_t i) { return raw.narrow(1, i, 1); };
  // A_R and A_N - 1. With branching their errors do not reach the gains.
  const auto advantage = [&](std::int64_t gain) {
    const at::Tensor gains = shape_.branching ? head(gain).detach() : head(gain);
    if (disagreement_.empty()) return gains;
    const at::Tensor limited = 1 - inputs.narrow(1, num_features + core::kUnlimitedInput, 1);
    return disagreement * gains + (1 - disagreement) * limited * head(gain + 1);
  };
  const at::Tensor ones = at::ones({inputs.size(0), 1}, inputs.options());
  output.values = at::cat({head(0),
                           advantage(1),
                           head(3),
                           advantage(4) + 1,
                           disagreement.defined() ? disagreement : ones,
                           head(1),
                           head(4) + 1,
                           shape_.plans ? raw.narrow(1, kNumHeads, 2 * kNumPlans)
                                        : ones.new_zeros({inputs.size(0), 2 * kNumPlans})},
                          1);
  return output;
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
                  ": widths, layers or the number of features differ from those of the checkpoint",
           .fix = "set learner.dqn.width, layers, disagreement_width and plans as in the run's "
                  "resolved "
                  "configuration and use its QUICK model, or start a new run folder"});
    }
    std::copy(
        found->second->values.begin(), found->second->values.end(), values.begin() + slot.offset);
  }
  into.copy_(at::from_blob(values.data(), {size_}, at::kFloat));
}

}  // namespace londi::learner
