#include "inference/models/model_spec.h"

#include "core/error.h"

namespace londi::inference {
namespace {

constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;

void CheckSize(const char* name, std::int64_t value) {
  if (value >= 1 && value <= kLargestSize) return;
  throw core::ModelError({.what = std::string(name) + " is " + std::to_string(value),
                          .why = "sizes lie between 1 and " + std::to_string(kLargestSize),
                          .fix = "check config.json: the file may be damaged"});
}

void Check(bool good, std::string what, std::string why) {
  if (good) return;
  throw core::ModelError({.what = std::move(what),
                          .why = std::move(why),
                          .fix = "check config.json: the file may be damaged"});
}

}  // namespace

double ScoringFlops(const ModelSpec& spec, std::int64_t computed_tokens, std::int64_t scored_rows) {
  const double head_row =
      2.0 * static_cast<double>(spec.vocab_size) * static_cast<double>(spec.hidden_size);
  return 2.0 * static_cast<double>(spec.body_parameters()) * static_cast<double>(computed_tokens) +
         head_row * static_cast<double>(scored_rows);
}

void ModelSpec::Validate() const {
  CheckSize("vocab_size", vocab_size);
  CheckSize("hidden_size", hidden_size);
  CheckSize("intermediate_size", intermediate_size);
  CheckSize("num_hidden_layers", num_layers);
  CheckSize("num_attention_heads", num_heads);
  CheckSize("num_key_value_heads", num_kv_heads);
  CheckSize("head_dim", head_dim);
  CheckSize("max_position_embeddings", max_positions);
  Check(num_heads % num_kv_heads == 0,
        "num_attention_heads is " + std::to_string(num_heads) + ", num_key_value_heads " +
            std::to_string(num_kv_heads),
        "every key head serves the same number of query heads");
  Check(head_dim % 2 == 0,
        "head_dim is " + std::to_string(head_dim),
        "rotary positions turn pairs of dimensions");
  Check(rms_norm_eps > 0 && rms_norm_eps < 1, "rms_norm_eps is out of (0, 1)", "it divides");
  Check(rope_theta > 1, "rope_theta is not above 1", "angles would not fall with the dimension");
  Check(rope_scaling.factor >= 1, "rope's factor is below 1", "it stretches positions");
}

}  // namespace londi::inference
