#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "inference/candidate_trie.h"
#include "inference/models/kv_cache.h"
#include "inference/models/llama.h"

namespace londi::inference {

// One request's rows in a packed forward pass: new prompt tokens, then the trie's inner nodes.
struct TreeRows {
  std::int64_t begin = 0;   // First row.
  std::int64_t cached = 0;  // Prompt tokens whose keys and values the slab holds.
  std::int64_t prompt = 0;  // New prompt tokens, >= 1.
  const CandidateTrie* trie = nullptr;
  KvSlab* slab = nullptr;  // Room for cached + rows().

  std::int64_t rows() const { return prompt + trie->num_inner(); }
};

// A new prompt token sees the prompt up to itself; a node of the trie sees the whole prompt, the
// nodes above it, and itself. Keys and values of all rows are written to the slabs; those of nodes
// lie behind the prompt's and are overwritten by the next call.
class CachedTreeAttention final : public Attention {
 public:
  // `on_progress` is called after each request's part of each layer; may be empty.
  CachedTreeAttention(std::vector<TreeRows> requests,
                      at::Device device,
                      std::function<void()> on_progress);
  at::Tensor Attend(std::int64_t layer,
                    const at::Tensor& q,
                    const at::Tensor& k,
                    const at::Tensor& v) override;

 private:
  std::vector<TreeRows> requests_;
  const std::function<void()> on_progress_;
  std::vector<at::Tensor> masks_;  // [rows, cached + rows], 0 or -infinity; undefined: sees all.
};

}  // namespace londi::inference
