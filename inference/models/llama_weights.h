#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "inference/models/model_spec.h"

// The parameters of a Llama-architecture LM as plain tensors. q|k|v and gate|up are stored fused
// (rows one after another), for training too: a third of the matrix products' calls.
namespace londi::inference {

struct LlamaLayer {
  at::Tensor input_norm;  // [d]
  at::Tensor qkv;         // [(H + 2 Hkv) * dh, d]: rows of q, then k, then v.
  at::Tensor o;           // [d, H * dh]
  at::Tensor post_norm;   // [d]
  at::Tensor gate_up;     // [2 f, d]: rows of gate, then up.
  at::Tensor down;        // [d, f]
};

struct LlamaWeights {
  ModelSpec spec;
  at::Tensor embedding;  // [vocab, d]
  std::vector<LlamaLayer> layers;
  at::Tensor final_norm;  // [d]
  at::Tensor lm_head;     // [vocab, d]; the embedding itself where they are tied.
  // Not parameters: cosine and sine of every position's angles, fp32 [max_positions, dh].
  at::Tensor rope_cos;
  at::Tensor rope_sin;

  at::Device device() const { return embedding.device(); }
};

// Fresh parameters: matrices normal(0, initializer_range), norms 1 (as transformers does). Drawn on
// the CPU, so that a seed gives the same weights on every device.
LlamaWeights RandomLlama(const ModelSpec& spec,
                         std::uint64_t seed,
                         at::Device device,
                         double initializer_range = 0.02);

// Reads config.json and the safetensors of a Hugging Face folder; F16 and BF16 become fp32. Throws
// core::ModelError naming what is missing, damaged, or of another shape.
LlamaWeights LoadLlama(const std::filesystem::path& folder, at::Device device);

// Writes config.json and model.safetensors (fp32) into `folder`, which is created. The tokenizer is
// the caller's. Throws core::IoError.
void SaveLlama(const LlamaWeights& weights, const std::filesystem::path& folder);

// The tensors an optimizer steps: fused, each once (a tied lm_head is not repeated). They share
// memory with `weights`: call requires_grad_() on them to train.
std::vector<at::Tensor> LlamaParameters(const LlamaWeights& weights);

// The parameters under the names of Hugging Face ("model.layers.0.self_attn.q_proj.weight" ...):
// views that share memory with `weights`, in the order in which they are saved.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};
std::vector<NamedTensor> LlamaHfTensors(const LlamaWeights& weights);

}  // namespace londi::inference
