#include "learner/replay/sum_tree.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "learner/replay/random.h"

namespace londi::learner {
namespace {

std::size_t Find(const SumTree& tree, double mass) {
  std::size_t leaf = 0;
  tree.Find({&mass, 1}, {&leaf, 1});
  return leaf;
}

TEST(SumTree, DrawsLikeACumulativeSum) {
  Random random(3);
  for (const std::size_t size : {1u, 2u, 5u, 8u, 9u, 64u, 100u, 600u}) {
    SumTree tree(size);
    std::vector<float> weights(size);
    for (int change = 0; change < 1500; ++change) {
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
      ASSERT_EQ(Find(tree, before), leaf);
      ASSERT_EQ(Find(tree, before + weights[leaf] * 0.999), leaf);
      before += weights[leaf];
    }
  }
}

TEST(SumTree, IsAFunctionOfItsLeavesWhateverTheOrderOfChanges) {
  constexpr std::size_t kSize = 70;
  SumTree once(kSize), often(kSize);
  Random random(5);
  std::vector<float> leaves(kSize);
  for (float& leaf : leaves) leaf = static_cast<float>(random.Uniform());
  for (std::size_t i = 0; i < kSize; ++i) once.Set(i, leaves[i]);
  for (int change = 0; change < 1000; ++change)
    often.Set(random.Next() % kSize, static_cast<float>(random.Uniform() * 1e6));
  for (std::size_t i = kSize; i-- > 0;) often.Set(i, leaves[i]);

  EXPECT_EQ(once.total(), often.total());  // To the last bit: no drift.
}

TEST(SumTree, AddsUpRunsOfNeighboursAndWhatLiesFarApart) {
  constexpr std::size_t kSize = 1000;
  SumTree tree(kSize);
  std::vector<float> weights(kSize);
  const auto set = [&](std::size_t leaf, float weight) {
    weights[leaf] = weight;
    tree.Set(leaf, weight);
  };
  for (std::size_t leaf = 990; leaf < 1000; ++leaf) set(leaf, 1);
  for (std::size_t leaf = 0; leaf < 50; leaf += 2) set(leaf, 2);  // Around the end, with gaps.
  for (std::size_t leaf = 500; leaf > 400; leaf -= 5) set(leaf, 3);
  set(700, 4);
  set(44, 5);

  double total = 0;
  for (const float weight : weights) total += weight;
  EXPECT_EQ(tree.total(), total);
  set(701, 6);
  EXPECT_EQ(Find(tree, total + 6 - 10.5), 701u);
}

TEST(SumTree, MassesThatGoDownSideBySideDoNotMeet) {
  SumTree tree(100);
  for (std::size_t i = 0; i < 100; ++i) tree.Set(i, static_cast<float>(i % 7));
  Random random(1);
  std::vector<double> masses(300);
  for (double& mass : masses) mass = random.Uniform() * tree.total();
  std::vector<std::size_t> alone, together(masses.size());
  for (const double mass : masses) alone.push_back(Find(tree, mass));

  tree.Find(masses, together);

  EXPECT_EQ(together, alone);
}

TEST(SumTree, NeverFindsAnEmptyLeafThoughRoundingPushesBeyondTheLast) {
  SumTree tree(5);
  tree.Set(1, 0.1f);
  tree.Set(2, 0.2f);

  EXPECT_EQ(Find(tree, tree.total()), 2u);
  EXPECT_EQ(Find(tree, tree.total() * 1.001), 2u);
}

}  // namespace
}  // namespace londi::learner
