#include "actors/switching/snapshot_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/switcher_network.h"

namespace londi::actors {
namespace {

// Partial sums per dot product: enough independent chains to fill the vector units.
constexpr std::size_t kLanes = 32;

// out[o] = bias[o] + sum_i weight[o, i] in[i]. Written so that compilers turn the lanes into vector
// registers without being allowed to reorder floating-point sums.
[[gnu::always_inline]] inline void ApplyLinear(const float* weight,
                                               const float* bias,
                                               const float* in,
                                               std::size_t n,
                                               float* out,
                                               std::size_t num_out) {
  const std::size_t whole = n - n % kLanes;
  for (std::size_t o = 0; o < num_out; ++o) {
    const float* row = weight + o * n;
    float lanes[kLanes] = {};
    for (std::size_t i = 0; i < whole; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += row[i + lane] * in[i + lane];
    }
    for (std::size_t i = whole; i < n; ++i) lanes[i - whole] += row[i] * in[i];
    for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
      for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
    }
    out[o] = bias[o] + lanes[0];
  }
}

// The same for any CPU and for those with AVX2, chosen at run time: the binary stays portable.
using LinearFunction =
    void (*)(const float*, const float*, const float*, std::size_t, float*, std::size_t);

void LinearPortable(const float* weight,
                    const float* bias,
                    const float* in,
                    std::size_t n,
                    float* out,
                    std::size_t num_out) {
  ApplyLinear(weight, bias, in, n, out, num_out);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void LinearAvx2(const float* weight,
                                            const float* bias,
                                            const float* in,
                                            std::size_t n,
                                            float* out,
                                            std::size_t num_out) {
  ApplyLinear(weight, bias, in, n, out, num_out);
}
LinearFunction ChooseLinear() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? LinearAvx2
                                                                         : LinearPortable;
}
#else
LinearFunction ChooseLinear() { return LinearPortable; }
#endif

const LinearFunction kLinear = ChooseLinear();

// LayerNorm, then ReLU, in place. A NaN stays one: it must not pass for a zero.
void NormalizeAndRectify(std::span<const float> scale,
                         std::span<const float> shift,
                         std::span<float> values) {
  const float count = static_cast<float>(values.size());
  float mean = 0, variance = 0;
  for (const float value : values) mean += value;
  mean /= count;
  for (const float value : values) variance += (value - mean) * (value - mean);
  const float inverse =
      1.0f / std::sqrt(variance / count + core::switcher_network::kLayerNormEpsilon);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = (values[i] - mean) * inverse * scale[i] + shift[i];
    values[i] = value < 0 ? 0.0f : value;
  }
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

constexpr const char* kSameBuild = "run learner and actors from the same build and configuration";

}  // namespace

SnapshotLayers::SnapshotLayers(std::shared_ptr<const core::WeightsSnapshot> weights,
                               std::string_view architecture)
    : weights_(std::move(weights)) {
  if (weights_->architecture == architecture) return;
  throw core::ProtocolError(
      {.what = "weights version " + std::to_string(weights_->version.value) +
               " are of a network '" + weights_->architecture + "'",
       .why = "the actors' Switcher reads '" + std::string(architecture) + "'.",
       .fix = kSameBuild});
}

bool SnapshotLayers::HasArray(std::string_view name) const {
  return std::ranges::any_of(weights_->arrays,
                             [&](const core::NamedArray& array) { return array.name == name; });
}

SnapshotLayers::Tower SnapshotLayers::FindTower(const std::string& name) const {
  Tower tower;
  for (std::string layer = name + ".0"; HasArray(layer + ".weight");
       layer = name + "." + std::to_string(tower.size())) {
    const std::vector<std::int64_t>& shape = weights_->Find(layer + ".weight").shape;
    const std::size_t out = shape.empty() ? 0 : static_cast<std::size_t>(shape[0]);
    const std::size_t first_in = shape.size() == 2 ? static_cast<std::size_t>(shape[1]) : 0;
    const std::size_t in = tower.empty() ? first_in : tower.back().num_outputs();
    const auto extent = static_cast<std::int64_t>(out);
    tower.push_back({.linear = FindLinear(layer, in, out),
                     .norm_weight = FindArray(layer + ".norm.weight", {extent}),
                     .norm_bias = FindArray(layer + ".norm.bias", {extent})});
  }
  return tower;
}

SnapshotLayers::Linear SnapshotLayers::FindLinear(const std::string& name,
                                                  std::size_t in,
                                                  std::size_t out) const {
  const auto rows = static_cast<std::int64_t>(out);
  return {.weight = FindArray(name + ".weight", {rows, static_cast<std::int64_t>(in)}),
          .bias = FindArray(name + ".bias", {rows})};
}

std::span<const float> SnapshotLayers::FindArray(const std::string& name,
                                                 std::vector<std::int64_t> shape) const {
  const core::NamedArray& array = weights_->Find(name);
  std::size_t size = 1;
  for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  if (array.shape != shape || array.values.size() != size || size == 0) {
    throw core::ProtocolError(
        {.what = "array '" + name + "' of weights version " +
                 std::to_string(weights_->version.value) + " has the shape " +
                 ShapeText(array.shape) + " and " + std::to_string(array.values.size()) + " values",
         .why = "the other arrays of the network call for " + ShapeText(shape) + ".",
         .fix = kSameBuild});
  }
  return array.values;
}

std::span<const float> SnapshotLayers::Climb(const Tower& tower,
                                             std::span<const float> in,
                                             Scratch& scratch) {
  std::vector<float>*next = &scratch.a, *other = &scratch.b;
  for (const Layer& layer : tower) {
    next->resize(layer.num_outputs());
    layer.linear.Apply(in, *next);
    NormalizeAndRectify(layer.norm_weight, layer.norm_bias, *next);
    in = *next;
    std::swap(next, other);
  }
  return in;
}

std::span<const float> SnapshotLayers::MakeInputs(const core::SwitcherInput& input,
                                                  std::span<const float> memory,
                                                  int num_inputs,
                                                  Scratch& scratch) {
  const std::size_t num_features = input.features.size();
  RequireFeatures(num_features,
                  static_cast<std::size_t>(num_inputs) - core::kNumContextInputs - memory.size());
  std::vector<float>& inputs = scratch.context;
  inputs.resize(static_cast<std::size_t>(num_inputs));
  std::ranges::copy(memory, std::ranges::copy(input.features, inputs.begin()).out);
  core::EncodeContext(input.cost,
                      input.remaining,
                      input.steps_left,
                      std::span(inputs).last(core::kNumContextInputs));
  return inputs;
}

void SnapshotLayers::RequireFeatures(std::size_t num_features, std::size_t expected) {
  if (num_features == expected) return;
  throw core::ProtocolError(
      {.what = "QUICK's features have " + std::to_string(num_features) +
               " values, the Switcher's weights expect " + std::to_string(expected),
       .why = "the Switcher was trained with another QUICK.",
       .fix = "use the QUICK that the run was trained with, or start a new run."});
}

void SnapshotLayers::Linear::Apply(std::span<const float> in, std::span<float> out) const {
  kLinear(weight.data(), bias.data(), in.data(), in.size(), out.data(), out.size());
}

float SnapshotLayers::Linear::ApplyToOne(std::span<const float> in) const {
  float out = 0;
  Apply(in, std::span(&out, 1));
  return out;
}

}  // namespace londi::actors
