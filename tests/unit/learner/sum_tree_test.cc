#include "learner/sum_tree.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "learner/random.h"

namespace londi::learner {
namespace {

TEST(SumTree, DrawsLikeACumulativeSum) {
  Random random(3);
  for (const std::size_t size : {1u, 2u, 5u, 64u, 100u}) {
    SumTree tree(size);
    std::vector<float> weights(size);
    for (int change = 0; change < 500; ++change) {
      const auto leaf = static_cast<std::size_t>(random.Next() % size);
      // Sums of such numbers are exact.
      weights[leaf] = static_cast<float>(random.Next() % 8) / 4;
      tree.Set(leaf, weights[leaf]);
    }
    double total = 0;
    for (const float weight : weights) total += weight;
    ASSERT_EQ(tree.total(), total);

    double before = 0;
    for (std::size_t leaf = 0; leaf < size; ++leaf) {
      ASSERT_EQ(tree.Get(leaf), weights[leaf]);
      if (weights[leaf] == 0) continue;
      ASSERT_EQ(tree.Find(before), leaf);
      ASSERT_EQ(tree.Find(before + weights[leaf] * 0.999), leaf);
      before += weights[leaf];
    }
  }
}

TEST(SumTree, IsAFunctionOfItsLeavesWhateverTheOrderOfChanges) {
  SumTree once(7), often(7);
  Random random(5);
  std::vector<float> leaves(7);
  for (float& leaf : leaves) leaf = static_cast<float>(random.Uniform());
  for (std::size_t i = 0; i < 7; ++i) once.Set(i, leaves[i]);
  for (int change = 0; change < 1000; ++change)
    often.Set(random.Next() % 7, static_cast<float>(random.Uniform() * 1e6));
  for (std::size_t i = 7; i-- > 0;) often.Set(i, leaves[i]);

  EXPECT_EQ(once.total(), often.total());  // To the last bit: no drift.
}

TEST(SumTree, NeverFindsAnEmptyLeafThoughRoundingPushesBeyondTheLast) {
  SumTree tree(5);
  tree.Set(1, 0.1f);
  tree.Set(2, 0.2f);

  EXPECT_EQ(tree.Find(tree.total()), 2u);
  EXPECT_EQ(tree.Find(tree.total() * 1.001), 2u);
}

}  // namespace
}  // namespace londi::learner
