#include "learner/algorithms/dueling_network.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string_view>

#include "core/switcher.h"
#include "core/switcher_network.h"

namespace londi::learner {
namespace {

constexpr const char* kHeads[] = {
    "return.value", "return.gain", "return.shadow", "calls.value", "calls.gain", "calls.shadow"};
constexpr int kNumHeads = 6;
constexpr int kNumGates = 3;  // Of the memory: reset, keep, candidate.
using core::switcher_network::Values;

}  // namespace

DuelingNetwork::DuelingNetwork(Shape shape, at::Device device, bool gradient) : shape_(shape) {
  const bool has_disagreement = shape.disagreement_width > 0;
  const int trunk_inputs =
      shape.num_inputs + (has_disagreement ? core::switcher_network::kNumDisagreementInputs : 0);
  layout_.AddTower("trunk", trunk_inputs, shape.width, shape.layers);
  // The heads lie side by side: one matrix.
  for (const char* head : kHeads) layout_.Add(std::string(head) + ".weight", {1, shape.width});
  for (const char* head : kHeads) layout_.Add(std::string(head) + ".bias", {1});
  if (has_disagreement) {
    layout_.AddTower("disagreement", num_features(), shape.disagreement_width, kDisagreementLayers);
    layout_.Add("disagreement.logit.weight", {1, shape.disagreement_width});
    layout_.Add("disagreement.logit.bias", {1});
  }
  if (shape.memory_width > 0) {
    const int outputs = kNumGates * shape.memory_width;
    layout_.Add("memory.input.weight", {outputs, num_features() - shape.memory_width});
    layout_.Add("memory.input.bias", {outputs});
    layout_.Add("memory.state.weight", {outputs, shape.memory_width});
    layout_.Add("memory.state.bias", {outputs});
  }

  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  flat_ = at::zeros({layout_.size()}, options);
  weights_ = ViewsOf(flat_);
  for (const Tower& tower : {weights_.trunk, weights_.disagreement}) {
    for (const TowerLayer& layer : tower) layer.norm.scale.fill_(1);
  }
  if (!gradient) return;
  gradient_ = at::zeros({layout_.size()}, options);
  gradients_ = ViewsOf(gradient_);
}

int DuelingNetwork::num_features() const { return shape_.num_inputs - core::kNumContextInputs; }

// In the order of the layout.
DuelingNetwork::Views DuelingNetwork::ViewsOf(const at::Tensor& flat) const {
  ParameterLayout::Reader reader(layout_, flat);
  Views views;
  views.trunk = reader.NextTower(shape_.layers);
  views.heads.weight = reader.NextTogether(std::size(kHeads), {kNumHeads, shape_.width});
  views.heads.bias = reader.NextTogether(std::size(kHeads), {kNumHeads});
  if (shape_.disagreement_width > 0) {
    views.disagreement = reader.NextTower(kDisagreementLayers);
    views.disagreement_logit.weight = reader.Next();
    views.disagreement_logit.bias = reader.Next();
  }
  if (shape_.memory_width > 0) {
    for (LinearLayer* layer : {&views.memory.input, &views.memory.state}) {
      layer->weight = reader.Next();
      layer->bias = reader.Next();
    }
  }
  return views;
}

void DuelingNetwork::Initialize(std::uint64_t seed) {
  flat_.copy_(layout_.InitialValues(seed, [](std::string_view name) {
    const auto is_of = [&](const char* head) { return name.starts_with(head); };
    return std::ranges::any_of(kHeads, is_of) || is_of("disagreement.logit.");
  }));
}

namespace {

Values* RowsOf(const at::Tensor& values) {
  return reinterpret_cast<Values*>(values.data_ptr<float>());
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
  // Taken once: a tensor checks its type each time it is asked for them.
  const float* head = heads.data_ptr<float>();
  const float* const disagreements = d.defined() ? d.data_ptr<float>() : nullptr;
  const float* const is_limited = limited.data_ptr<float>();
  Values* const out = RowsOf(values);
  for (std::int64_t row = 0; row < heads.size(0); ++row, head += kNumHeads) {
    const float disagreement = disagreements != nullptr ? disagreements[row] : 1;
    const float agreement = disagreements != nullptr ? (1 - disagreement) * is_limited[row] : 0;
    out[row] = {.return_value = head[0],
                .return_advantage = disagreement * head[1] + agreement * head[2],
                .calls_value = head[3],
                .calls_advantage = disagreement * head[4] + agreement * head[5] + 1,
                .disagreement = disagreement,
                .return_gain = head[1],
                .calls_gain = head[4] + 1,
                .return_shadow = agreement * head[2],
                .calls_shadow = agreement * head[5]};
  }
}

// The reverse of ToValues. With branching the advantages' errors do not reach the gains.
at::Tensor DuelingNetwork::HeadsGradient(const Pass& pass, const at::Tensor& values) const {
  const std::int64_t num_rows = values.size(0);
  const at::Tensor heads = at::empty({num_rows, kNumHeads}, at::kFloat);
  const Values* const of_values = RowsOf(values);
  const Values* const passed = RowsOf(pass.values);
  const float* const is_limited = pass.limited.data_ptr<float>();
  float* head = heads.data_ptr<float>();
  for (std::int64_t row = 0; row < num_rows; ++row, head += kNumHeads) {
    const Values& in = of_values[row];
    const float disagreement = passed[row].disagreement;
    const float agreement =
        weights_.disagreement.empty() ? 0 : (1 - disagreement) * is_limited[row];
    const float to_gains = shape_.branching ? 0 : disagreement;
    head[0] = in.return_value;
    head[1] = to_gains * in.return_advantage + in.return_gain;
    head[2] = agreement * in.return_advantage;
    head[3] = in.calls_value;
    head[4] = to_gains * in.calls_advantage + in.calls_gain;
    head[5] = agreement * in.calls_advantage;
  }
  return heads;
}

at::Tensor DuelingNetwork::Evaluate(const at::Tensor& inputs) const {
  const std::int64_t rows = inputs.size(0);
  const at::Tensor values = at::empty({rows, kNumValues}, at::kFloat);
  const std::int64_t piece = RowsAtATime(inputs);
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

at::Tensor DuelingNetwork::Backward(const Pass& pass,
                                    const at::Tensor& values,
                                    const at::Tensor& logits) {
  const at::Device device = flat_.device();
  const at::Tensor of_trunk = DescendTower(weights_.trunk,
                                           pass.trunk,
                                           DescendLinear(weights_.heads,
                                                         pass.trunk.back().hidden,
                                                         HeadsGradient(pass, values).to(device),
                                                         gradients_.heads),
                                           gradients_.trunk);
  at::Tensor of_memory = MemoryGradient(weights_.trunk, of_trunk);
  if (weights_.disagreement.empty()) return of_memory;
  const at::Tensor of_disagreement = DescendTower(weights_.disagreement,
                                                  pass.disagreement,
                                                  DescendLinear(weights_.disagreement_logit,
                                                                pass.disagreement.back().hidden,
                                                                logits.unsqueeze(1).to(device),
                                                                gradients_.disagreement_logit),
                                                  gradients_.disagreement);
  if (of_memory.defined()) of_memory.add_(MemoryGradient(weights_.disagreement, of_disagreement));
  return of_memory;
}

at::Tensor DuelingNetwork::MemoryGradient(const Tower& tower,
                                          const at::Tensor& of_first_layer) const {
  if (shape_.memory_width == 0) return {};
  const int first = num_features() - shape_.memory_width;
  return at::mm(of_first_layer, tower[0].weight.narrow(1, first, shape_.memory_width));
}

at::Tensor DuelingNetwork::Remember(const at::Tensor& features,
                                    const std::vector<std::int64_t>& num_running,
                                    KeptGru* keep) const {
  return ClimbGru(weights_.memory, features, num_running, keep);
}

void DuelingNetwork::BackwardMemory(const KeptGru& kept,
                                    const std::vector<std::int64_t>& num_running,
                                    const at::Tensor& remembered) {
  DescendGru(weights_.memory, kept, num_running, remembered, gradients_.memory);
}

}  // namespace londi::learner
