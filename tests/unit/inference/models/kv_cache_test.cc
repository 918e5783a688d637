#include "inference/models/kv_cache.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace londi::inference {
namespace {

constexpr std::size_t kBytesPerToken = 2 * 2 * 3 * 4 * sizeof(float);

KvCache MakeCache(std::size_t capacity_bytes = 1 << 20) {
  ModelSpec spec;
  spec.num_layers = 2;
  spec.num_heads = 6;
  spec.num_kv_heads = 3;
  spec.head_dim = 4;
  return KvCache(spec, at::kCPU, capacity_bytes);
}

using Ids = std::vector<TokenId>;

// What a forward pass does: room, values, tokens.
KvSlab& Fill(KvCache& cache, std::uint64_t session, const Ids& prompt) {
  KvSlab& slab = cache.Acquire(session, prompt, static_cast<std::int64_t>(prompt.size()));
  for (std::size_t i = slab.tokens.size(); i < prompt.size(); ++i)
    slab.kv.select(2, static_cast<std::int64_t>(i)).fill_(prompt[i]);
  slab.tokens = prompt;
  return slab;
}

TEST(KvCache, KeepsWhatAGrowingPromptHasInCommonButForTheLastToken) {
  KvCache cache = MakeCache();
  Fill(cache, 1, {1, 2, 3});

  EXPECT_EQ(cache.CountCached(1, Ids{1, 2, 3, 4, 5}), 3);
  EXPECT_EQ(cache.CountCached(1, Ids{1, 2, 3}), 2);  // The last one is always computed.
  EXPECT_EQ(cache.CountCached(1, Ids{1, 9, 3, 4}), 1);
  EXPECT_EQ(cache.CountCached(1, Ids{9}), 0);
  EXPECT_EQ(cache.CountCached(2, Ids{1, 2, 3, 4}), 0);  // Another session.
}

TEST(KvCache, GrowingKeepsTheValues) {
  KvCache cache = MakeCache();
  Ids prompt = {1, 2, 3};
  Fill(cache, 1, prompt);
  for (TokenId id = 4; id < 200; ++id) prompt.push_back(id);

  const KvSlab& slab = cache.Acquire(1, prompt, 200);

  ASSERT_EQ(slab.tokens, (Ids{1, 2, 3}));
  ASSERT_GE(slab.capacity, 200);
  ASSERT_EQ(slab.kv.sizes(), (at::IntArrayRef{2, 6, slab.capacity, 4}));
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_TRUE((slab.kv.select(2, i) == i + 1).all().item<bool>()) << i;
  EXPECT_EQ(cache.bytes(), static_cast<std::size_t>(slab.capacity) * kBytesPerToken);
}

TEST(KvCache, CutsWhatAnotherPromptDoesNotShare) {
  KvCache cache = MakeCache();
  Fill(cache, 1, {1, 2, 3, 4});

  const KvSlab& slab = cache.Acquire(1, Ids{1, 2, 7, 8}, 4);

  EXPECT_EQ(slab.tokens, (Ids{1, 2}));
}

TEST(KvCache, DropsTheLeastRecentlyUsedSessionBeyondItsBytes) {
  KvCache cache = MakeCache(2 * 40 * kBytesPerToken);  // Two slabs of 2 + 32 tokens.
  for (const std::uint64_t session : {1, 2, 3}) Fill(cache, session, {1, 2});
  Fill(cache, 1, {1, 2});

  cache.Trim();

  EXPECT_EQ(cache.CountCached(1, Ids{1, 2, 3}), 2);
  EXPECT_EQ(cache.CountCached(2, Ids{1, 2, 3}), 0);
  EXPECT_EQ(cache.CountCached(3, Ids{1, 2, 3}), 2);
}

TEST(KvCache, ASlabOfNoSessionIsNotKept) {
  const KvCache cache = MakeCache();

  EXPECT_EQ(cache.MakeSlab(5).capacity, 5);

  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace londi::inference
