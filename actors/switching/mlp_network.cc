#include "actors/switching/mlp_network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

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

float ApplyHead(std::span<const float> weight, std::span<const float> bias, const float* in) {
  float out = 0;
  kLinear(weight.data(), bias.data(), in, weight.size(), &out, 1);
  return out;
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

constexpr const char* kSameBuild = "run learner and actors from the same build and configuration";

}  // namespace

MlpNetwork::MlpNetwork(std::shared_ptr<const core::WeightsSnapshot> weights)
    : weights_(std::move(weights)) {
  if (weights_->architecture != core::switcher_network::kArchitecture) {
    throw core::ProtocolError({.what = "weights version " +
                                       std::to_string(weights_->version.value) +
                                       " are of a network '" + weights_->architecture + "'",
                               .why = "the actors' Switcher reads '" +
                                      std::string(core::switcher_network::kArchitecture) + "'.",
                               .fix = kSameBuild});
  }
  const auto has_layer = [&](const std::string& name) {
    return std::ranges::any_of(weights_->arrays,
                               [&](const core::NamedArray& a) { return a.name == name; });
  };
  std::size_t in = 0;
  for (int i = 0; i == 0 || has_layer("trunk." + std::to_string(i) + ".weight"); ++i) {
    const std::string name = "trunk." + std::to_string(i);
    const std::vector<std::int64_t>& shape = weights_->Find(name + ".weight").shape;
    if (i == 0 && shape.size() == 2) in = static_cast<std::size_t>(shape[1]);
    const std::size_t out = shape.empty() ? 0 : static_cast<std::size_t>(shape[0]);
    const auto extent = static_cast<std::int64_t>(out);
    layers_.push_back({.linear = FindLinear(name, in, out),
                       .norm_weight = FindArray(name + ".norm.weight", {extent}),
                       .norm_bias = FindArray(name + ".norm.bias", {extent})});
    if (i == 0) num_inputs_ = static_cast<int>(in);
    in = out;
  }
  return_value_ = FindLinear("return.value", in, 1);
  return_advantage_ = FindLinear("return.advantage", in, 1);
  calls_value_ = FindLinear("calls.value", in, 1);
  calls_advantage_ = FindLinear("calls.advantage", in, 1);
}

MlpNetwork::Linear MlpNetwork::FindLinear(const std::string& name,
                                          std::size_t in,
                                          std::size_t out) const {
  const auto rows = static_cast<std::int64_t>(out);
  return {.weight = FindArray(name + ".weight", {rows, static_cast<std::int64_t>(in)}),
          .bias = FindArray(name + ".bias", {rows})};
}

std::span<const float> MlpNetwork::FindArray(const std::string& name,
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

MlpNetwork::Output MlpNetwork::Evaluate(std::span<const float> inputs, Scratch& scratch) const {
  const float* in = inputs.data();
  std::size_t n = inputs.size();
  std::vector<float>*next = &scratch.a, *other = &scratch.b;
  for (const Layer& layer : layers_) {
    next->resize(layer.linear.bias.size());
    kLinear(
        layer.linear.weight.data(), layer.linear.bias.data(), in, n, next->data(), next->size());
    NormalizeAndRectify(layer.norm_weight, layer.norm_bias, *next);
    in = next->data();
    n = next->size();
    std::swap(next, other);
  }
  return {.return_value = ApplyHead(return_value_.weight, return_value_.bias, in),
          .return_advantage = ApplyHead(return_advantage_.weight, return_advantage_.bias, in),
          .calls_value = ApplyHead(calls_value_.weight, calls_value_.bias, in),
          .calls_advantage = ApplyHead(calls_advantage_.weight, calls_advantage_.bias, in)};
}

}  // namespace londi::actors
