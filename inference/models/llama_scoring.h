#pragma once

#include <cstddef>
#include <memory>

#include "inference/models/llama_weights.h"
#include "inference/scoring_model.h"

namespace londi::inference {

// Scores with a Llama-architecture LM: every request's new tokens packed into one forward pass.
// `kv_cache_bytes`: what prompts of sessions may take beyond one batch.
std::unique_ptr<ScoringModel> MakeLlamaScoring(LlamaWeights weights, std::size_t kv_cache_bytes);

}  // namespace londi::inference
