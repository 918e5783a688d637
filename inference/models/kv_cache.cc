#include "inference/models/kv_cache.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace londi::inference {
namespace {

std::int64_t CountCommon(const KvSlab& slab, std::span<const TokenId> prompt) {
  const std::size_t most = std::min(slab.tokens.size(), prompt.size() - 1);
  const auto [in_slab, in_prompt] = std::mismatch(
      slab.tokens.begin(), slab.tokens.begin() + static_cast<std::ptrdiff_t>(most), prompt.begin());
  return in_slab - slab.tokens.begin();
}

}  // namespace

KvCache::KvCache(const ModelSpec& spec, at::Device device, std::size_t capacity_bytes)
    : spec_(spec), device_(device), capacity_bytes_(capacity_bytes) {}

std::int64_t KvCache::CountCached(std::uint64_t session, std::span<const TokenId> prompt) const {
  const KvSlab* slab = slabs_.Find(session);
  return slab == nullptr ? 0 : CountCommon(*slab, prompt);
}

KvSlab& KvCache::Acquire(std::uint64_t session,
                         std::span<const TokenId> prompt,
                         std::int64_t room) {
  KvSlab& slab = slabs_.Touch(session);
  const std::int64_t kept = CountCommon(slab, prompt);
  slab.tokens.resize(static_cast<std::size_t>(kept));
  if (slab.capacity >= room) return slab;
  KvSlab larger = MakeSlab(std::max(room + 32, slab.capacity * 3 / 2));
  if (kept > 0) larger.kv.narrow(2, 0, kept).copy_(slab.kv.narrow(2, 0, kept));
  slab.kv = larger.kv;
  slab.capacity = larger.capacity;
  slabs_.SetBytes(session, slab.kv.nbytes());
  return slab;
}

KvSlab KvCache::MakeSlab(std::int64_t room) const {
  return {.kv = at::empty({spec_.num_layers, 2 * spec_.num_kv_heads, room, spec_.head_dim},
                          at::TensorOptions().dtype(at::kFloat).device(device_)),
          .capacity = room};
}

}  // namespace londi::inference
