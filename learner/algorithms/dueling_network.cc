#include "learner/algorithms/dueling_network.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
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
using core::switcher_network::Values;

// One core takes rows through the network in such pieces: what a layer hands to the next stays in
// its cache. Several would wait for one another once per piece and layer.
constexpr std::int64_t kRowsInCache = 256;

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

DuelingNetwork::DuelingNetwork(Shape shape, at::Device device, bool gradient) : shape_(shape) {
  const bool has_disagreement = shape.disagreement_width > 0;
  const int trunk_inputs =
      shape.num_inputs + (has_disagreement ? core::switcher_network::kNumDisagreementInputs : 0);
  AddTowerSlots("trunk", trunk_inputs, shape.width, shape.layers);
  // The heads lie side by side: one matrix.
  for (const char* head : kHeads) AddSlot(std::string(head) + ".weight", {1, shape.width});
  if (shape.plans) {
    for (const char* head : kPlanHeads)
      AddSlot(std::string(head) + ".weight", {kNumPlans, shape.width});
  }
  for (const char* head : kHeads) AddSlot(std::string(head) + ".bias", {1});
  if (shape.plans) {
    for (const char* head : kPlanHeads) AddSlot(std::string(head) + ".bias", {kNumPlans});
  }
  if (has_disagreement) {
    AddTowerSlots("disagreement", num_features(), shape.disagreement_width, kDisagreementLayers);
    AddSlot("disagreement.logit.weight", {1, shape.disagreement_width});
    AddSlot("disagreement.logit.bias", {1});
  }

  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  flat_ = at::zeros({size_}, options);
  weights_ = ViewsOf(flat_);
  for (const Tower& tower : {weights_.trunk, weights_.disagreement}) {
    for (const Layer& layer : tower) layer.norm.scale.fill_(1);
  }
  if (!gradient) return;
  gradient_ = at::zeros({size_}, options);
  gradients_ = ViewsOf(gradient_);
}

int DuelingNetwork::num_features() const { return shape_.num_inputs - core::kNumContextInputs; }

void DuelingNetwork::AddTowerSlots(const std::string& name, int num_inputs, int width, int layers) {
  for (int i = 0; i < layers; ++i) {
    const std::string layer = name + "." + std::to_string(i);
    AddSlot(layer + ".weight", {width, i == 0 ? num_inputs : width});
    AddSlot(layer + ".bias", {width});
    AddSlot(layer + ".norm.weight", {width});
    AddSlot(layer + ".norm.bias", {width});
  }
}

// In the order of the slots.
DuelingNetwork::Views DuelingNetwork::ViewsOf(const at::Tensor& flat) const {
  std::size_t next = 0;
  const auto take = [&] {
    const Slot& slot = slots_[next++];
    return flat.narrow(0, slot.offset, slot.size).view(slot.shape);
  };
  const auto take_tower = [&](int layers) {
    Tower tower(static_cast<std::size_t>(layers));
    for (Layer& layer : tower) {
      layer.weight = take();
      layer.norm.bias = take();
      layer.norm.scale = take();
      layer.norm.shift = take();
    }
    return tower;
  };
  Views views;
  views.trunk = take_tower(shape_.layers);
  const int num_heads = kNumHeads + (shape_.plans ? 2 * kNumPlans : 0);
  const std::size_t num_slots = std::size(kHeads) + (shape_.plans ? std::size(kPlanHeads) : 0);
  views.heads.weight =
      flat.narrow(0, slots_[next].offset, num_heads * shape_.width).view({num_heads, shape_.width});
  next += num_slots;
  views.heads.bias = flat.narrow(0, slots_[next].offset, num_heads);
  next += num_slots;
  if (shape_.disagreement_width > 0) {
    views.disagreement = take_tower(kDisagreementLayers);
    views.disagreement_logit.weight = take();
    views.disagreement_logit.bias = take();
  }
  return views;
}

std::int64_t DuelingNetwork::AddSlot(std::string name, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) size *= extent;
  slots_.push_back({std::move(name), std::move(shape), size_, size});
  size_ += size;
  return slots_.back().offset;
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

namespace {

Values* RowsOf(const at::Tensor& values) {
  return reinterpret_cast<Values*>(values.data_ptr<float>());
}

// `tensor` with that shape, its memory where that has it already.
void Reshape(at::Tensor& tensor, at::IntArrayRef shape, const at::TensorOptions& options) {
  if (!tensor.defined() || tensor.sizes() != shape) tensor = at::empty(shape, options);
}

// Hidden layers of a tower.
template <typename Tower>
at::Tensor ClimbTower(const Tower& tower,
                      at::Tensor hidden,
                      std::vector<DuelingNetwork::Pass::Layer>* keep) {
  if (keep != nullptr) keep->resize(tower.size());
  for (std::size_t i = 0; i < tower.size(); ++i) {
    const auto& [weight, norm] = tower[i];
    if (keep == nullptr) {
      hidden = at::mm(hidden, weight.t());
      NormReluInPlace(norm, hidden);
      continue;
    }
    DuelingNetwork::Pass::Layer& layer = (*keep)[i];
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

// `gradient` with respect to the tower's last hidden layer; overwritten.
template <typename Tower>
void DescendTower(const Tower& tower,
                  const std::vector<DuelingNetwork::Pass::Layer>& kept,
                  at::Tensor gradient,
                  const Tower& out) {
  for (std::size_t i = tower.size(); i-- > 0;) {
    const DuelingNetwork::Pass::Layer& layer = kept[i];
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
}

// Of a linear layer; returns the gradient with respect to its inputs.
at::Tensor DescendLinear(const at::Tensor& weight,
                         const at::Tensor& inputs,
                         const at::Tensor& gradient,
                         at::Tensor of_weight,
                         at::Tensor of_bias) {
  at::mm_out(of_weight, gradient.t(), inputs);
  at::sum_out(of_bias, gradient, 0);
  return at::mm(gradient, weight);
}

}  // namespace

DuelingNetwork::Raw DuelingNetwork::Climb(const at::Tensor& inputs, Pass* keep) const {
  Raw raw;
  at::Tensor trunk_inputs = inputs;
  if (!weights_.disagreement.empty()) {
    const at::Tensor hidden = ClimbTower(weights_.disagreement,
                                         inputs.narrow(1, 0, num_features()),
                                         keep == nullptr ? nullptr : &keep->disagreement);
    raw.logits =
        at::addmm(weights_.disagreement_logit.bias, hidden, weights_.disagreement_logit.weight.t());
    raw.disagreement = raw.logits.sigmoid();
    const at::Tensor scaled_log =
        (raw.disagreement + core::switcher_network::kLogFloor).log_().div_(4);
    trunk_inputs = at::cat({inputs, raw.disagreement, scaled_log}, 1);
  }
  const at::Tensor hidden =
      ClimbTower(weights_.trunk, trunk_inputs, keep == nullptr ? nullptr : &keep->trunk);
  raw.heads = at::addmm(weights_.heads.bias, hidden, weights_.heads.weight.t());
  return raw;
}

at::Tensor DuelingNetwork::Limited(const at::Tensor& inputs) const {
  return 1 - inputs.select(1, num_features() + core::kUnlimitedInput).to(at::kCPU);
}

// On the host, like all that is made of values: some numbers per row, of which LibTorch's operators
// would make some microseconds each.
void DuelingNetwork::ToValues(const Raw& raw, const at::Tensor& limited, at::Tensor values) const {
  const at::Tensor heads = raw.heads.to(at::kCPU);
  const at::Tensor d = raw.disagreement.defined() ? raw.disagreement.to(at::kCPU) : at::Tensor();
  const std::int64_t num_heads = heads.size(1);
  for (std::int64_t row = 0; row < heads.size(0); ++row) {
    const float* head = heads.data_ptr<float>() + row * num_heads;
    const float disagreement = d.defined() ? d.data_ptr<float>()[row] : 1;
    const float agreement = d.defined() ? (1 - disagreement) * limited.data_ptr<float>()[row] : 0;
    Values& out = RowsOf(values)[row];
    out = {.return_value = head[0],
           .return_advantage = disagreement * head[1] + agreement * head[2],
           .calls_value = head[3],
           .calls_advantage = disagreement * head[4] + agreement * head[5] + 1,
           .disagreement = disagreement,
           .return_gain = head[1],
           .calls_gain = head[4] + 1};
    if (shape_.plans) {
      std::copy_n(head + kNumHeads, kNumPlans, out.plan_return.begin());
      std::copy_n(head + kNumHeads + kNumPlans, kNumPlans, out.plan_calls.begin());
    }
  }
}

// The reverse of ToValues. With branching the advantages' errors do not reach the gains.
at::Tensor DuelingNetwork::HeadsGradient(const Pass& pass, const at::Tensor& values) const {
  const std::int64_t num_rows = values.size(0), num_heads = weights_.heads.weight.size(0);
  const at::Tensor heads = at::empty({num_rows, num_heads}, at::kFloat);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const Values& in = RowsOf(values)[row];
    const float disagreement = RowsOf(pass.values)[row].disagreement;
    const float agreement = weights_.disagreement.empty()
                                ? 0
                                : (1 - disagreement) * pass.limited.data_ptr<float>()[row];
    const float to_gains = shape_.branching ? 0 : disagreement;
    float* head = heads.data_ptr<float>() + row * num_heads;
    head[0] = in.return_value;
    head[1] = to_gains * in.return_advantage + in.return_gain;
    head[2] = agreement * in.return_advantage;
    head[3] = in.calls_value;
    head[4] = to_gains * in.calls_advantage + in.calls_gain;
    head[5] = agreement * in.calls_advantage;
    if (shape_.plans) {
      std::copy_n(in.plan_return.begin(), kNumPlans, head + kNumHeads);
      std::copy_n(in.plan_calls.begin(), kNumPlans, head + kNumHeads + kNumPlans);
    }
  }
  return heads;
}

at::Tensor DuelingNetwork::Evaluate(const at::Tensor& inputs) const {
  const std::int64_t rows = inputs.size(0);
  const at::Tensor values = at::empty({rows, kNumValues}, at::kFloat);
  const bool one_core = inputs.is_cpu() && at::get_num_threads() == 1;
  const std::int64_t piece = one_core ? kRowsInCache : std::max<std::int64_t>(rows, 1);
  for (std::int64_t from = 0; from < rows; from += piece) {
    const at::Tensor some = inputs.narrow(0, from, std::min(piece, rows - from));
    ToValues(Climb(some, nullptr), Limited(some), values.narrow(0, from, some.size(0)));
  }
  return values;
}

void DuelingNetwork::Forward(const at::Tensor& inputs, Pass& pass) const {
  const Raw raw = Climb(inputs, &pass);
  pass.limited = Limited(inputs);
  Reshape(pass.values, {inputs.size(0), kNumValues}, at::kFloat);
  ToValues(raw, pass.limited, pass.values);
  if (raw.logits.defined()) pass.disagreement_logits = raw.logits.squeeze(1).to(at::kCPU);
}

void DuelingNetwork::Backward(const Pass& pass,
                              const at::Tensor& values,
                              const at::Tensor& logits) {
  const at::Device device = flat_.device();
  DescendTower(weights_.trunk,
               pass.trunk,
               DescendLinear(weights_.heads.weight,
                             pass.trunk.back().hidden,
                             HeadsGradient(pass, values).to(device),
                             gradients_.heads.weight,
                             gradients_.heads.bias),
               gradients_.trunk);
  if (weights_.disagreement.empty()) return;
  DescendTower(weights_.disagreement,
               pass.disagreement,
               DescendLinear(weights_.disagreement_logit.weight,
                             pass.disagreement.back().hidden,
                             logits.unsqueeze(1).to(device),
                             gradients_.disagreement_logit.weight,
                             gradients_.disagreement_logit.bias),
               gradients_.disagreement);
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
