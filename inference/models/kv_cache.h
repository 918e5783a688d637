#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "inference/models/model_spec.h"
#include "inference/session_lru.h"
#include "inference/tokenizers/bpe.h"

namespace londi::inference {

// Keys and values of one prompt, contiguous per layer and head.
struct KvSlab {
  std::vector<TokenId> tokens;  // The prompt whose keys and values are valid.
  at::Tensor kv;                // [layers, 2 * Hkv, capacity, dh]: keys' heads, then values'.
  std::int64_t capacity = 0;    // Tokens.
};

// Slabs by session, the least recently used are dropped beyond a number of bytes. Not thread-safe.
class KvCache {
 public:
  KvCache(const ModelSpec& spec, at::Device device, std::size_t capacity_bytes);

  // How many tokens at the front of `prompt` the session's slab holds. At most prompt.size() - 1:
  // the last token is always computed, for its hidden state.
  std::int64_t CountCached(std::uint64_t session, std::span<const TokenId> prompt) const;

  // The session's slab, cut to what it has in common with `prompt`, with room for `room` tokens.
  // The caller sets `tokens` once it has filled the rest. Stays valid until Trim.
  KvSlab& Acquire(std::uint64_t session, std::span<const TokenId> prompt, std::int64_t room);

  // A slab of no session.
  KvSlab MakeSlab(std::int64_t room) const;

  // Drops what is too much.
  void Trim() { slabs_.Trim(capacity_bytes_); }

  std::size_t bytes() const { return slabs_.bytes(); }

 private:
  const ModelSpec spec_;
  const at::Device device_;
  const std::size_t capacity_bytes_;
  SessionLru<KvSlab> slabs_;
};

}  // namespace londi::inference
