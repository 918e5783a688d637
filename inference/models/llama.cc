#include "inference/models/llama.h"

#include <ATen/ATen.h>

#include <utility>

namespace londi::inference {
namespace {

// Rotary positions, rotate-half layout: (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin), where x1
// and x2 are the halves of a head's dimensions. heads [T, n, dh]; cos, sin [T, 1, dh].
at::Tensor Rotate(const at::Tensor& heads, const at::Tensor& cos, const at::Tensor& sin) {
  const std::int64_t half = heads.size(2) / 2;
  const at::Tensor rotated =
      at::cat({heads.narrow(2, half, half).neg(), heads.narrow(2, 0, half)}, 2);
  return (heads * cos).addcmul_(rotated, sin);
}

at::Tensor Norm(const LlamaWeights& weights, const at::Tensor& x, const at::Tensor& scale) {
  return at::rms_norm(x, {weights.spec.hidden_size}, scale, weights.spec.rms_norm_eps);
}

}  // namespace

at::Tensor LlamaHidden(const LlamaWeights& weights,
                       const at::Tensor& token_ids,
                       const at::Tensor& positions,
                       Attention& attention) {
  const ModelSpec& spec = weights.spec;
  const std::int64_t num_tokens = token_ids.size(0);
  const std::int64_t rotated_heads = spec.num_heads + spec.num_kv_heads;
  const at::Tensor cos = weights.rope_cos.index_select(0, positions).unsqueeze(1);
  const at::Tensor sin = weights.rope_sin.index_select(0, positions).unsqueeze(1);

  at::Tensor x = at::embedding(weights.embedding, token_ids);  // [T, d], the residual stream.
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const LlamaLayer& layer = weights.layers[i];
    // split, not narrow: its gradient is one concatenation.
    const auto qk_v = at::linear(Norm(weights, x, layer.input_norm), layer.qkv)
                          .view({num_tokens, rotated_heads + spec.num_kv_heads, spec.head_dim})
                          .split_with_sizes({rotated_heads, spec.num_kv_heads}, 1);
    const auto q_k =
        Rotate(qk_v[0], cos, sin).split_with_sizes({spec.num_heads, spec.num_kv_heads}, 1);
    const at::Tensor attended =
        attention.Attend(static_cast<std::int64_t>(i), q_k[0], q_k[1], qk_v[1]);
    x = x + at::linear(attended, layer.o);
    const auto gate_up = at::linear(Norm(weights, x, layer.post_norm), layer.gate_up).chunk(2, 1);
    x = x + at::linear(at::silu(gate_up[0]) * gate_up[1], layer.down);
  }
  return Norm(weights, x, weights.final_norm);
}

at::Tensor LlamaLogits(const LlamaWeights& weights, const at::Tensor& hidden) {
  return at::linear(hidden, weights.lm_head);
}

PackedCausalAttention::PackedCausalAttention(std::vector<std::int64_t> lengths)
    : lengths_(std::move(lengths)) {}

at::Tensor PackedCausalAttention::Attend(std::int64_t /*layer*/,
                                         const at::Tensor& q,
                                         const at::Tensor& k,
                                         const at::Tensor& v) {
  const auto qs = q.split_with_sizes(lengths_), ks = k.split_with_sizes(lengths_),
             vs = v.split_with_sizes(lengths_);
  std::vector<at::Tensor> attended;
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const auto heads_first = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
    attended.push_back(at::scaled_dot_product_attention(heads_first(qs[i]),
                                                        heads_first(ks[i]),
                                                        heads_first(vs[i]),
                                                        /*attn_mask=*/{},
                                                        /*dropout_p=*/0,
                                                        /*is_causal=*/true,
                                                        /*scale=*/{},
                                                        /*enable_gqa=*/q.size(1) != k.size(1))
                           .squeeze(0)
                           .transpose(0, 1));
  }
  return at::cat(attended, 0).reshape({q.size(0), q.size(1) * q.size(2)});
}

at::Tensor LlamaHiddenOfSequences(const LlamaWeights& weights,
                                  const at::Tensor& token_ids,
                                  const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> positions;
  for (const std::int64_t length : lengths) {
    for (std::int64_t i = 0; i < length; ++i) positions.push_back(i);
  }
  PackedCausalAttention attention(lengths);
  return LlamaHidden(
      weights, token_ids, at::tensor(positions, at::kLong).to(weights.device()), attention);
}

}  // namespace londi::inference
