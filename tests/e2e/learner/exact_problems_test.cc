// The production path against problems whose optimum is known (tests/support/exact_problems.h).
#include "tests/support/exact_problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace londi::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using Places = std::vector<int>;

constexpr int kSeed = 1;
// The aim is 0.02; trainings like these end between 0.002 and 0.025 (docs/results.md), and other
// processors' rounding makes other trainings of them. The choices are exact.
constexpr double kLargestValueError = 0.04;

void ExpectOptimal(const ExactVerdict& verdict) {
  ::testing::Test::RecordProperty("largest_error", std::to_string(verdict.largest_error));
  EXPECT_THAT(verdict.wrong, IsEmpty());
  EXPECT_LT(verdict.largest_error, kLargestValueError);
  EXPECT_GT(verdict.choices, 0);
}

// At cost 0, with more budget than there is use for, calls that gain nothing are ties: there may
// be more.
TEST(ExactProblems, CriticalChain) {
  const ExactVerdict verdict = LearnCriticalChain(kSeed);

  ExpectOptimal(verdict);
  EXPECT_THAT(verdict.calls.at({.cost = 0}), IsSupersetOf({2, 5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.1}), (Places{2, 5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.2}), (Places{5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.3}), (Places{8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.45}), (Places{}));
  for (int budget = 0; budget <= 3; ++budget)
    EXPECT_THAT(verdict.calls.at({.cost = 0, .budget = budget}), ::testing::SizeIs(budget));
  EXPECT_THAT(verdict.calls.at({.cost = 0, .budget = 4}), IsSupersetOf({2, 5, 8}));
}

TEST(ExactProblems, CriticalChainByRetrace) {
  const ExactVerdict verdict = LearnCriticalChainByRetrace(kSeed);

  ExpectOptimal(verdict);
  EXPECT_EQ(verdict.calls.at({.cost = 0.1}), (Places{2, 5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.2}), (Places{5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.3}), (Places{8}));
}

TEST(ExactProblems, HeterogeneousChain) {
  const ExactVerdict verdict = LearnHeterogeneousChain(kSeed);

  ExpectOptimal(verdict);
  EXPECT_EQ(verdict.calls.at({.cost = 0, .budget = 0}), (Places{}));
  EXPECT_EQ(verdict.calls.at({.cost = 0, .budget = 1}), (Places{5}));
  EXPECT_EQ(verdict.calls.at({.cost = 0, .budget = 2}), (Places{5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0, .budget = 3}), (Places{2, 5, 8}));
  EXPECT_THAT(verdict.calls.at({.cost = 0}), IsSupersetOf({2, 5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.1}), (Places{5, 8}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.4}), (Places{}));
}

TEST(ExactProblems, TwoKeys) {
  const ExactVerdict verdict = LearnTwoKeys(kSeed);

  ExpectOptimal(verdict);
  for (const double cost : {0.1, 0.3, 0.45})
    EXPECT_EQ(verdict.calls.at({.cost = cost}), (Places{1, 4}));
  EXPECT_EQ(verdict.calls.at({.cost = 0.6}), (Places{}));
  for (const double cost : {0.1, 0.3})
    EXPECT_EQ(verdict.calls.at({.cost = cost, .budget = 1}), (Places{}));
}

TEST(ExactProblems, Decoy) {
  const ExactVerdict verdict = LearnDecoy(kSeed);

  ExpectOptimal(verdict);
  EXPECT_EQ(verdict.calls.at({.cost = 0.1, .budget = 1}), (Places{6}));
  for (const double cost : {0.1, 0.5, 0.8})
    EXPECT_EQ(verdict.calls.at({.cost = cost}), (Places{6}));
}

TEST(ExactProblems, Assignment) { ExpectOptimal(LearnAssignment(kSeed)); }

TEST(ExactProblems, ProposalGate) { ExpectOptimal(LearnProposalGate(kSeed)); }

TEST(ExactProblems, Memory) { ExpectOptimal(LearnMemory(kSeed)); }

}  // namespace
}  // namespace londi::testing
