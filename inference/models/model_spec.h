#pragma once

#include <cstdint>
#include <string>

namespace londi::inference {

// How the angles of rotary positions are stretched beyond the trained context.
struct RopeScaling {
  enum class Kind : std::uint8_t { kNone, kLinear, kLlama3 };
  Kind kind = Kind::kNone;
  double factor = 1;
  // kLlama3 only.
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  std::int64_t original_max_positions = 8192;
};

// What the maths of a decoder-only transformer is made of, read from config.json or chosen for
// training. Activation is SiLU, norms are RMSNorm, positions are rotary (rotate-half).
struct ModelSpec {
  std::string family = "llama";  // `model_type` of config.json.
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;        // d
  std::int64_t intermediate_size = 0;  // f
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;  // Divides num_heads.
  std::int64_t head_dim = 0;  // Even; hidden_size / num_heads unless config.json says otherwise.
  std::int64_t max_positions = 0;  // Longest sequence in tokens.
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tie_word_embeddings = false;  // lm_head = embedding.
  std::int64_t bos_token_id = -1;    // -1: none.
  std::int64_t eos_token_id = -1;

  std::int64_t query_width() const { return num_heads * head_dim; }
  std::int64_t kv_width() const { return num_kv_heads * head_dim; }

  // Parameters that every computed token passes through: all but embedding and head.
  std::int64_t body_parameters() const {
    const std::int64_t attention = hidden_size * (2 * query_width() + 2 * kv_width());
    const std::int64_t mlp = 3 * hidden_size * intermediate_size;
    return num_layers * (attention + mlp + 2 * hidden_size) + hidden_size;
  }
  std::int64_t num_parameters() const {
    return body_parameters() + (tie_word_embeddings ? 1 : 2) * vocab_size * hidden_size;
  }

  // Throws core::ModelError naming the first size that is impossible.
  void Validate() const;
};

// Arithmetic of a forward pass over `computed_tokens`, of which the logits of `scored_rows` are
// needed: 2 * body parameters * tokens + 2 * vocab * d * rows. A whole number.
double ScoringFlops(const ModelSpec& spec, std::int64_t computed_tokens, std::int64_t scored_rows);

}  // namespace londi::inference
