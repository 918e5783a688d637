#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "inference/models/llama_weights.h"

// The forward pass of a Llama-architecture decoder: one function for training and for serving. T
// tokens of any number of sequences lie packed in [T, d], so that every matrix product sees all of
// them; only `Attention` knows which token may look at which.
//
// Under autograd (parameters require grad, no InferenceMode) everything is recorded.
namespace londi::inference {

class Attention {
 public:
  virtual ~Attention() = default;

  // Called once per layer, in order. q [T, H, dh], k and v [T, Hkv, dh], positions already applied
  // to q and k. Returns [T, H * dh]. Queries are not scaled yet.
  virtual at::Tensor Attend(std::int64_t layer,
                            const at::Tensor& q,
                            const at::Tensor& k,
                            const at::Tensor& v) = 0;
};

// Whole sequences without a cache: token i of a sequence sees tokens 0..i of the same sequence.
class PackedCausalAttention final : public Attention {
 public:
  // `lengths`: tokens per sequence, all > 0, in the order in which they are packed.
  explicit PackedCausalAttention(std::vector<std::int64_t> lengths);
  at::Tensor Attend(std::int64_t layer,
                    const at::Tensor& q,
                    const at::Tensor& k,
                    const at::Tensor& v) override;

 private:
  std::vector<std::int64_t> lengths_;
};

// token_ids, positions: int64 [T] on the weights' device; positions < spec.max_positions. Returns
// the hidden states after the final norm, [T, d].
at::Tensor LlamaHidden(const LlamaWeights& weights,
                       const at::Tensor& token_ids,
                       const at::Tensor& positions,
                       Attention& attention);

// Logits [n, vocab] of chosen rows of LlamaHidden's result, [n, d]. Choose before: with small LMs
// the head costs as much as a layer.
at::Tensor LlamaLogits(const LlamaWeights& weights, const at::Tensor& hidden);

// Training's forward: sequences packed one after another in `token_ids` (int64 [sum of lengths], on
// the weights' device), positions restart with each. Returns hidden states [T, d].
at::Tensor LlamaHiddenOfSequences(const LlamaWeights& weights,
                                  const at::Tensor& token_ids,
                                  const std::vector<std::int64_t>& lengths);

}  // namespace londi::inference
