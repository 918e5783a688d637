#include "learner/memory_chains.h"

#include <gtest/gtest.h>

#include <vector>

namespace londi::learner {
namespace {

using Rows = std::vector<std::int64_t>;

// The row after which the memory of the batch's `index`-th state or successor is read out.
std::int64_t RowAt(const MemoryChains& chains, std::size_t index) {
  return chains.rows[static_cast<std::size_t>(chains.places[index])];
}

// The rows of each step without those that fill it up.
std::vector<Rows> Steps(const MemoryChains& chains) {
  std::vector<Rows> steps;
  std::size_t first = 0;
  for (const std::int64_t running : chains.num_running) {
    EXPECT_EQ(running % static_cast<std::int64_t>(MemoryChains::kChainsTogether), 0);
    const auto begin = chains.rows.begin() + static_cast<std::ptrdiff_t>(first);
    Rows& step = steps.emplace_back(begin, begin + running);
    while (step.size() > 1 && step[step.size() - 2] == step.back()) step.pop_back();
    first += static_cast<std::size_t>(running);
  }
  EXPECT_EQ(first, chains.rows.size());
  return steps;
}

TEST(MemoryChains, LieSideBySideTheLongestFirst) {
  MemoryChainMaker maker;
  maker.Add(Rows{10}, 0, Rows{10}, 8);
  maker.Add(Rows{20, 21, 22}, 0, Rows{22}, 8);
  maker.Add(Rows{30}, 0, Rows{30, 31}, 8);
  for (const std::size_t window : {0, 1, 2}) maker.Want(window, 0);
  maker.Want(2, 1);
  MemoryChains chains;

  maker.Finish(chains);

  EXPECT_EQ(Steps(chains), (std::vector<Rows>{{20, 30, 10}, {21, 31}, {22}}));
  EXPECT_EQ(chains.places, (Rows{2, 128, 1, 65}));
}

TEST(MemoryChains, BeginAnewWhereTheMemoryDoes) {
  MemoryChainMaker maker;
  // With a window of 2: steps 0..3 read from 0 on, 4 and 5 from 2, 6 from 4.
  maker.Add(Rows{0, 1, 2, 3}, 0, Rows{3, 4, 5, 6}, 2);
  for (const std::size_t index : {0, 1, 2, 3}) maker.Want(0, index);
  MemoryChains chains;

  maker.Finish(chains);

  EXPECT_EQ(Steps(chains), (std::vector<Rows>{{0, 2, 4}, {1, 3, 5}, {2, 4, 6}, {3, 5}}));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(RowAt(chains, i), static_cast<std::int64_t>(3 + i)) << i;
}

TEST(MemoryChains, BeginBehindRowsThatAreMissing) {
  MemoryChainMaker maker;
  maker.Add(Rows{7, 8}, 7, Rows{8, 9}, 4);  // Step 8 would read from step 4 on.
  maker.Want(0, 0);
  maker.Want(0, 1);
  MemoryChains chains;

  maker.Finish(chains);

  EXPECT_EQ(Steps(chains), (std::vector<Rows>{{7}, {8}, {9}}));
  EXPECT_EQ(chains.places, (Rows{64, 128}));
}

TEST(MemoryChains, OfABatchReplaceThoseOfTheOneBefore) {
  MemoryChainMaker maker;
  maker.Add(Rows{1, 2}, 0, Rows{2}, 4);
  maker.Want(0, 0);
  MemoryChains chains;
  maker.Finish(chains);

  MemoryChainMaker().Finish(chains);

  EXPECT_TRUE(chains.rows.empty() && chains.num_running.empty() && chains.places.empty());
}

}  // namespace
}  // namespace londi::learner
