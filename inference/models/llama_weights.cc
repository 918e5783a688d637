#include "inference/models/llama_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numbers>
#include <system_error>

#include "core/error.h"
#include "inference/models/hf_config.h"
#include "inference/models/model_tensors.h"
#include "inference/models/safetensors.h"

namespace londi::inference {
namespace {

at::ScalarType ToScalarType(ElementType type, const std::string& name) {
  switch (type) {
    case ElementType::kF64:
      return at::kDouble;
    case ElementType::kF32:
      return at::kFloat;
    case ElementType::kF16:
      return at::kHalf;
    case ElementType::kBF16:
      return at::kBFloat16;
    default:
      throw core::ModelError(
          {.what = "'" + name + "' holds " + std::string(ElementTypeName(type)),
           .why = "weights are floating-point numbers; quantized ones are not supported",
           .fix = "save the model as float32, float16 or bfloat16"});
  }
}

void CopyInto(const at::Tensor& target, const StoredTensor& stored, const std::string& name) {
  at::Tensor loaded =
      at::empty(stored.shape, at::TensorOptions().dtype(ToScalarType(stored.type, name)));
  std::memcpy(loaded.data_ptr(), stored.bytes.data(), stored.bytes.size());
  target.copy_(loaded);
}

// Angle per position and unit of the first half of a head's dimensions, [dh / 2].
// Llama 3's stretching: transformers, modeling_rope_utils.py, _compute_llama3_parameters.
std::vector<double> RopeFrequencies(const ModelSpec& spec) {
  const RopeScaling& scaling = spec.rope_scaling;
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < spec.head_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(spec.head_dim);
    double frequency = std::pow(spec.rope_theta, -exponent);
    if (scaling.kind == RopeScaling::Kind::kLinear) {
      frequency /= scaling.factor;
    } else if (scaling.kind == RopeScaling::Kind::kLlama3) {
      const double turns =
          static_cast<double>(scaling.original_max_positions) * frequency / (2 * std::numbers::pi);
      const double kept = std::clamp(
          (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor),
          0.0,
          1.0);
      frequency = (1 - kept) * frequency / scaling.factor + kept * frequency;
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

void FillRopeTables(LlamaWeights& weights, at::Device device) {
  const ModelSpec& spec = weights.spec;
  const at::Tensor frequencies = at::tensor(RopeFrequencies(spec), at::kFloat);
  const at::Tensor positions = at::arange(spec.max_positions, at::kFloat);
  const at::Tensor half = at::outer(positions, frequencies);  // [max_positions, dh / 2]
  const at::Tensor angles = at::cat({half, half}, 1);
  weights.rope_cos = angles.cos().to(device);
  weights.rope_sin = angles.sin().to(device);
}

// All tensors with their shapes, values undefined.
LlamaWeights Allocate(const ModelSpec& spec, at::Device device) {
  spec.Validate();
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  const std::int64_t d = spec.hidden_size, f = spec.intermediate_size;
  LlamaWeights weights;
  weights.spec = spec;
  weights.embedding = at::empty({spec.vocab_size, d}, options);
  for (std::int64_t i = 0; i < spec.num_layers; ++i) {
    weights.layers.push_back(
        {.input_norm = at::empty({d}, options),
         .qkv = at::empty({spec.query_width() + 2 * spec.kv_width(), d}, options),
         .o = at::empty({d, spec.query_width()}, options),
         .post_norm = at::empty({d}, options),
         .gate_up = at::empty({2 * f, d}, options),
         .down = at::empty({d, f}, options)});
  }
  weights.final_norm = at::empty({d}, options);
  weights.lm_head =
      spec.tie_word_embeddings ? weights.embedding : at::empty({spec.vocab_size, d}, options);
  FillRopeTables(weights, device);
  return weights;
}

}  // namespace

LlamaWeights RandomLlama(const ModelSpec& spec,
                         std::uint64_t seed,
                         at::Device device,
                         double initializer_range) {
  LlamaWeights weights = Allocate(spec, device);
  at::Generator generator = at::detail::createCPUGenerator(seed);
  at::NoGradGuard no_grad;
  for (const NamedTensor& parameter : LlamaHfTensors(weights)) {
    if (parameter.tensor.dim() == 1) {
      parameter.tensor.fill_(1);
    } else {
      parameter.tensor.copy_(
          at::empty(parameter.tensor.sizes()).normal_(0, initializer_range, generator));
    }
  }
  return weights;
}

LlamaWeights LoadLlama(const std::filesystem::path& folder, at::Device device) {
  ModelSpec spec = ReadHfConfig(folder);
  const ModelTensors stored(folder);
  LlamaWeights weights = Allocate(spec, device);
  for (const NamedTensor& parameter : LlamaHfTensors(weights)) {
    CopyInto(parameter.tensor,
             stored.Find(parameter.name, parameter.tensor.sizes().vec()),
             parameter.name);
  }
  return weights;
}

void SaveLlama(const LlamaWeights& weights, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream config(folder / "config.json", std::ios::binary);
  config << ToHfConfig(weights.spec);
  config.close();
  if (error || !config) {
    throw core::IoError({.what = (folder / "config.json").string() + " cannot be written",
                         .why = error ? error.message() : "the file system refuses",
                         .fix = "check that the folder is writable and has space"});
  }
  std::vector<at::Tensor> contiguous;  // Keeps the bytes alive.
  std::vector<TensorToWrite> tensors;
  for (const NamedTensor& parameter : LlamaHfTensors(weights)) {
    contiguous.push_back(parameter.tensor.detach().to(at::kCPU, at::kFloat).contiguous());
    const at::Tensor& values = contiguous.back();
    tensors.push_back(
        {.name = parameter.name,
         .type = ElementType::kF32,
         .shape = values.sizes().vec(),
         .bytes = {static_cast<const std::byte*>(values.data_ptr()), values.nbytes()}});
  }
  WriteSafetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

std::vector<at::Tensor> LlamaParameters(const LlamaWeights& weights) {
  std::vector<at::Tensor> parameters = {weights.embedding};
  for (const LlamaLayer& layer : weights.layers) {
    parameters.insert(
        parameters.end(),
        {layer.input_norm, layer.qkv, layer.o, layer.post_norm, layer.gate_up, layer.down});
  }
  parameters.push_back(weights.final_norm);
  if (!weights.spec.tie_word_embeddings) parameters.push_back(weights.lm_head);
  return parameters;
}

std::vector<NamedTensor> LlamaHfTensors(const LlamaWeights& weights) {
  const std::int64_t q = weights.spec.query_width(), kv = weights.spec.kv_width();
  const std::int64_t f = weights.spec.intermediate_size;
  std::vector<NamedTensor> named = {{"model.embed_tokens.weight", weights.embedding}};
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LlamaLayer& layer = weights.layers[i];
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    named.insert(named.end(),
                 {{prefix + "input_layernorm.weight", layer.input_norm},
                  {prefix + "self_attn.q_proj.weight", layer.qkv.narrow(0, 0, q)},
                  {prefix + "self_attn.k_proj.weight", layer.qkv.narrow(0, q, kv)},
                  {prefix + "self_attn.v_proj.weight", layer.qkv.narrow(0, q + kv, kv)},
                  {prefix + "self_attn.o_proj.weight", layer.o},
                  {prefix + "post_attention_layernorm.weight", layer.post_norm},
                  {prefix + "mlp.gate_proj.weight", layer.gate_up.narrow(0, 0, f)},
                  {prefix + "mlp.up_proj.weight", layer.gate_up.narrow(0, f, f)},
                  {prefix + "mlp.down_proj.weight", layer.down}});
  }
  named.push_back({"model.norm.weight", weights.final_norm});
  if (!weights.spec.tie_word_embeddings) named.push_back({"lm_head.weight", weights.lm_head});
  return named;
}

}  // namespace londi::inference
