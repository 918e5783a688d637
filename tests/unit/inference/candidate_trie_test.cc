#include "inference/candidate_trie.h"

#include <gtest/gtest.h>

#include <vector>

namespace londi::inference {
namespace {

using Paths = std::vector<std::vector<TokenId>>;

TEST(CandidateTrie, SharesWhatPathsBeginWith) {
  const Paths paths = {{5, 6, 7}, {5, 6, 8}, {5, 9}, {4}};

  const CandidateTrie trie(paths);

  // 5 6 7 8 9 4, in order of appearance.
  ASSERT_EQ(trie.nodes().size(), 6u);
  const TokenId tokens[] = {5, 6, 7, 8, 9, 4};
  const std::int32_t parents[] = {CandidateTrie::kRoot, 0, 1, 1, 0, CandidateTrie::kRoot};
  const std::int32_t depths[] = {1, 2, 3, 3, 2, 1};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(trie.nodes()[i].token, tokens[i]) << i;
    EXPECT_EQ(trie.nodes()[i].parent, parents[i]) << i;
    EXPECT_EQ(trie.nodes()[i].depth, depths[i]) << i;
  }
  EXPECT_EQ(trie.end(0), 2);
  EXPECT_EQ(trie.end(3), 5);
}

TEST(CandidateTrie, OnlyNodesWithChildrenAreInner) {
  const CandidateTrie trie(Paths{{5, 6, 7}, {5, 9}, {4}});

  EXPECT_EQ(trie.num_inner(), 2);
  EXPECT_EQ(trie.nodes()[0].inner, 0);   // 5
  EXPECT_EQ(trie.nodes()[1].inner, 1);   // 6
  EXPECT_EQ(trie.nodes()[2].inner, -1);  // 7
  EXPECT_EQ(trie.nodes()[3].inner, -1);  // 9
}

TEST(CandidateTrie, APathThatEndsWithinAnotherEndsAtAnInnerNode) {
  const CandidateTrie trie(Paths{{5, 6}, {5}});

  EXPECT_EQ(trie.end(1), 0);
  EXPECT_EQ(trie.num_inner(), 1);
}

TEST(CandidateTrie, EqualPathsAndLargeIdsShareOrDoNotShareAsTheyShould) {
  const CandidateTrie trie(Paths{{0x7fffffff, 1}, {0x7fffffff, 1}, {1, 0x7fffffff}});

  EXPECT_EQ(trie.nodes().size(), 4u);
  EXPECT_EQ(trie.end(0), trie.end(1));
}

TEST(CandidateTrie, SumsAlongAPathBehindWhatBelongsToThePrompt) {
  const CandidateTrie trie(Paths{{5, 6, 7}, {5, 9}});
  const std::vector<float> edges = {-1, -2, -4, -8};

  EXPECT_DOUBLE_EQ(trie.SumPath(0, 0, edges), -7);
  EXPECT_DOUBLE_EQ(trie.SumPath(0, 1, edges), -6);
  EXPECT_DOUBLE_EQ(trie.SumPath(0, 3, edges), 0);
  EXPECT_DOUBLE_EQ(trie.SumPath(1, 0, edges), -9);
}

}  // namespace
}  // namespace londi::inference
