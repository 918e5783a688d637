// Dynamic programming reproduces the values of the exact problems, to the digits that
// algorithms.md 5 gives.
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/problem_mdps.h"

namespace londi::testing {
namespace {

using actors::problems::Chain;

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
constexpr double kDigits = 0.5e-8 + 1e-12;  // Eight decimals.

// From the start, of who only ever survives.
std::vector<int> PlacesCalled(const TwoActionMdp& mdp, double cost, int budget) {
  const MdpSolution solution(mdp, cost, budget);
  std::vector<int> places;
  for (int place = 0; place < mdp.size(); ++place) {
    if (!solution.Calls(place, budget)) continue;
    places.push_back(place);
    if (budget != kUnlimited) --budget;
  }
  return places;
}

// The cost above which `place` is not worth a call, by bisection: the optimum calls there below it
// and not above.
double CostThreshold(const TwoActionMdp& mdp, int place) {
  double low = 0, high = 1;
  while (high - low > 1e-12) {
    const double cost = (low + high) / 2;
    (MdpSolution(mdp, cost, kUnlimited).Calls(place, kUnlimited) ? low : high) = cost;
  }
  return low;
}

TEST(ExactValues, CriticalChain) {
  const TwoActionMdp mdp = MakeChainMdp(actors::problems::CriticalChain(), 0.95);

  EXPECT_NEAR(CostThreshold(mdp, 2), 0.16682380, kDigits);
  EXPECT_NEAR(CostThreshold(mdp, 5), 0.25126043, kDigits);
  EXPECT_NEAR(CostThreshold(mdp, 8), 0.42750000, kDigits);
  const auto value = [&](double cost, int budget) {
    return MdpSolution(mdp, cost, budget).Value(0, budget);
  };
  EXPECT_NEAR(value(0, kUnlimited), 0.54036009, kDigits);
  EXPECT_NEAR(value(0.1, kUnlimited), 0.31672720, kDigits);
  EXPECT_NEAR(value(0.2, kUnlimited), 0.14399701, kDigits);
  EXPECT_NEAR(value(0.3, kUnlimited), 0.09992770, kDigits);
  EXPECT_NEAR(value(0.43, kUnlimited), 0.07878118, kDigits);
  EXPECT_EQ(PlacesCalled(mdp, 0, kUnlimited), (std::vector{2, 5, 8}));
  EXPECT_EQ(PlacesCalled(mdp, 0.1, kUnlimited), (std::vector{2, 5, 8}));
  EXPECT_EQ(PlacesCalled(mdp, 0.2, kUnlimited), (std::vector{5, 8}));
  EXPECT_EQ(PlacesCalled(mdp, 0.3, kUnlimited), (std::vector{8}));
  EXPECT_EQ(PlacesCalled(mdp, 0.43, kUnlimited), (std::vector<int>{}));
  EXPECT_NEAR(value(0, 0), 0.07878118, kDigits);
  EXPECT_NEAR(value(0, 1), 0.14968423, kDigits);
  EXPECT_NEAR(value(0, 2), 0.28440005, kDigits);
  EXPECT_NEAR(value(0, 3), 0.54036009, kDigits);
  EXPECT_NEAR(value(0, 4), 0.54036009, kDigits);
}

TEST(ExactValues, ALambdaSweepOverOneSolutionIsNotTheFrontier) {
  // algorithms.md 2.6: choices that are greedy for the values of c = 0, priced at 0.26.
  const TwoActionMdp mdp = MakeChainMdp(actors::problems::CriticalChain(), 0.95);
  const MdpSolution free(mdp, 0, kUnlimited);

  const PolicyValues swept = EvaluatePolicy(mdp, [&](int place) {
    return free.Value(place, kUnlimited, true) - 0.26 > free.Value(place, kUnlimited, false);
  });

  EXPECT_NEAR(swept.returns[0] - 0.26 * swept.calls[0], -0.041, 0.0005);
  EXPECT_NEAR(MdpSolution(mdp, 0.26, kUnlimited).Value(0, kUnlimited), 0.107, 0.0005);
}

TEST(ExactValues, HeterogeneousChain) {
  const TwoActionMdp mdp = MakeChainMdp(actors::problems::HeterogeneousChain(), 0.95);

  const double by_budget[] = {0.10210040, 0.32331795, 0.51192008, 0.54036009};
  for (int budget = 0; budget <= 3; ++budget)
    EXPECT_NEAR(MdpSolution(mdp, 0, budget).Value(0, budget), by_budget[budget], kDigits);
  EXPECT_EQ(PlacesCalled(mdp, 0, 1), (std::vector{5}));
  EXPECT_EQ(PlacesCalled(mdp, 0, 2), (std::vector{5, 8}));
  EXPECT_EQ(PlacesCalled(mdp, 0, 3), (std::vector{2, 5, 8}));

  const MdpSolution one(mdp, 0, 1);
  EXPECT_NEAR(one.Value(8, 1, true) - one.Value(8, 1, false), 0.3325, 0.5e-4);
  EXPECT_NEAR(one.Value(2, 1, true) - one.Value(2, 1, false), -0.23883, 0.5e-5);
  EXPECT_NEAR(CostThreshold(mdp, 2), 0.02923816, kDigits);
  EXPECT_NEAR(CostThreshold(mdp, 5), 0.32296900, kDigits);
  EXPECT_NEAR(CostThreshold(mdp, 8), 0.33250000, kDigits);
}

TEST(ExactValues, TwoKeys) {
  const TwoActionMdp mdp = MakeChainMdp(actors::problems::TwoKeysChain(), 1);

  const double by_budget[] = {0, 0, 1, 1};
  for (int budget = 0; budget <= 3; ++budget)
    EXPECT_NEAR(MdpSolution(mdp, 0, budget).Value(0, budget), by_budget[budget], kDigits);
  for (const double cost : {0.1, 0.3, 0.49}) {
    EXPECT_NEAR(MdpSolution(mdp, cost, kUnlimited).Value(0, kUnlimited), 1 - 2 * cost, kDigits);
    EXPECT_EQ(PlacesCalled(mdp, cost, kUnlimited), (std::vector{1, 4}));
  }
  const MdpSolution dear(mdp, 0.51, kUnlimited);
  EXPECT_NEAR(dear.Value(0, kUnlimited), 0, kDigits);
  EXPECT_FALSE(dear.Calls(1, kUnlimited));

  double dual = 1;  // min over c of V_c + c: what a price for the one call could at best promise.
  for (double cost = 0; cost <= 1; cost += 0.01)
    dual = std::min(dual, MdpSolution(mdp, cost, kUnlimited).Value(0, kUnlimited) + cost);
  EXPECT_NEAR(dual, 0.5, kDigits);
}

TEST(ExactValues, Decoy) {
  const TwoActionMdp mdp = MakeChainMdp(actors::problems::DecoyChain(), 1);

  EXPECT_NEAR(MdpSolution(mdp, 0, 0).Value(0, 0), 0, kDigits);
  EXPECT_NEAR(MdpSolution(mdp, 0, 1).Value(0, 1), 1, kDigits);
  EXPECT_EQ(PlacesCalled(mdp, 0, 1), (std::vector{6}));
  for (const double cost : {0.1, 0.5, 0.99}) {
    EXPECT_NEAR(MdpSolution(mdp, cost, kUnlimited).Value(0, kUnlimited), 1 - cost, kDigits);
    EXPECT_EQ(PlacesCalled(mdp, cost, kUnlimited), (std::vector{6}));
  }
  const PolicyValues uncertain =  // Calls where QUICK is unsure.
      EvaluatePolicy(mdp, [](int place) { return place == 1 || place == 3 || place == 5; });
  EXPECT_NEAR(uncertain.returns[0], 0, kDigits);
  EXPECT_NEAR(uncertain.calls[0], 3, kDigits);
}

TEST(ExactValues, Assignment) {
  constexpr double kSixDigits = 0.5e-6 + 1e-12;
  const double one_call[] = {0.5, 0.625, 0.695312, 0.741730, 0.775082};
  for (int steps = 1; steps <= 5; ++steps)
    EXPECT_NEAR(Assignment::Value(steps, 1), one_call[steps - 1], kSixDigits);

  const double value[] = {0.861098, 1.636004, 2.330285};
  const double threshold[] = {0.849821, 0.756548, 0.669201};
  const double capped[] = {0.827896, 1.568086, 2.230819};
  const double capped_at[] = {0.7254, 0.6457, 0.5708};
  const double hindsight[] = {0.909091, 1.727273, 2.454545};
  const double mean_budget[] = {0.95, 1.8, 2.55};
  const double planning_gain[] = {0.0332, 0.0679, 0.0995};
  for (int budget = 1; budget <= 3; ++budget) {
    SCOPED_TRACE(budget);
    const int i = budget - 1;
    EXPECT_NEAR(Assignment::Value(10, budget), value[i], kSixDigits);
    EXPECT_NEAR(Assignment::Threshold(10, budget), threshold[i], kSixDigits);
    const double best = Assignment::BestCappedThreshold(10, budget);
    EXPECT_NEAR(best, capped_at[i], 0.5e-4);
    EXPECT_NEAR(Assignment::CappedThresholdValue(10, budget, best), capped[i], kSixDigits);
    EXPECT_NEAR(Assignment::CappedThresholdValue(10, budget, 0), 0.5 * budget, kSixDigits);
    EXPECT_NEAR(Assignment::HindsightValue(10, budget), hindsight[i], kSixDigits);
    EXPECT_NEAR(Assignment::MeanBudgetValue(10, budget), mean_budget[i], kSixDigits);
    EXPECT_NEAR(Assignment::Value(10, budget) - Assignment::CappedThresholdValue(10, budget, best),
                planning_gain[i],
                0.5e-4);
  }
}

TEST(ExactValues, TheEnvironmentsGridOfGainsIsFineEnough) {
  const TwoActionMdp mdp = MakeAssignmentMdp();
  const MdpSolution solution(mdp, 0, 3);

  for (int budget = 1; budget <= 3; ++budget) {
    EXPECT_NEAR(AssignmentValue(solution, budget), Assignment::Value(10, budget), 1e-4) << budget;
    for (const double off : {-0.01, 0.01}) {
      const double gain = Assignment::Threshold(10, budget) + off;
      const int level = static_cast<int>(gain * actors::problems::kGainLevels);
      EXPECT_EQ(solution.Calls(level, budget), off > 0) << budget;
    }
  }
}

TEST(ExactValues, ProposalGate) {
  struct Case {
    double odds, cost, before, after;
  };
  for (const auto& [odds, cost, before, after] : {Case{0.5, 0.2, 0.80, 0.90},
                                                  Case{0.7, 0.2, 0.80, 0.94},
                                                  Case{0.9, 0.2, 0.90, 0.98},
                                                  Case{0.9, 0.05, 0.95, 0.995}}) {
    const TwoActionMdp mdp = MakeGateMdp(odds);
    const MdpSolution solution(mdp, cost, kUnlimited);
    EXPECT_NEAR(solution.Value(2, kUnlimited), before, kDigits);
    EXPECT_NEAR(PostProposalValue(solution, odds), after, kDigits);
  }
}

TEST(ExactValues, Memory) {
  const TwoActionMdp mdp = MakeMemoryMdp(6);
  for (const double cost : {0.2, 0.4, 0.7}) {
    const MdpSolution solution(mdp, cost, kUnlimited);
    const double remembers = (solution.Value(0, kUnlimited) + solution.Value(6, kUnlimited)) / 2;
    EXPECT_NEAR(remembers, 1 - cost / 2, kDigits);
    EXPECT_NEAR(solution.Value(12, kUnlimited), std::max(0.5, 1 - cost), kDigits);
  }
}

}  // namespace
}  // namespace londi::testing
