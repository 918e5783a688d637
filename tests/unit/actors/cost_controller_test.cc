#include "actors/cost_controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "actors/envs/problems/chain.h"
#include "core/budget.h"
#include "core/error.h"
#include "tests/support/problem_mdps.h"
#include "tests/support/refuses.h"
#include "tests/support/two_action_mdp.h"

namespace londi::actors {
namespace {

using testing::MdpSolution;
using testing::TwoActionMdp;
using Frontier = std::function<double(double cost)>;

// What a controller came to, and at which costs it had measured.
struct Search {
  CostController controller;
  std::vector<double> costs;

  Search(const Frontier& calls, double wanted, const CostControllerOptions& options = {})
      : controller(options, wanted) {
    while (controller.outcome() == CostOutcome::kSearching) {
      costs.push_back(controller.cost());
      controller.Observe(calls(costs.back()));
    }
  }
};

// Calls per episode, not discounted, of the optimal policy at a cost.
Frontier OptimalCalls(const TwoActionMdp& mdp) {
  return [&mdp](double cost) {
    const MdpSolution solution(mdp, cost, core::BudgetGovernor::kUnlimited);
    TwoActionMdp undiscounted = mdp;
    undiscounted.gamma = 1;
    return testing::EvaluatePolicy(
               undiscounted,
               [&](int state) { return solution.Calls(state, core::BudgetGovernor::kUnlimited); })
        .calls[0];
  };
}

// VP1: calls at {2,5,8}, at {5,8} from c = .16682380 on, at {8} from .25126043, none from .4275.
// The walk reaches 5 with probability .5 or .95, so the frontier is 2.8525, .975, .25, 0.
class CriticalChainFrontier : public ::testing::Test {
 protected:
  TwoActionMdp chain_ = testing::MakeChainMdp(problems::CriticalChain(), 0.95);
  Frontier calls_ = OptimalCalls(chain_);
};

TEST_F(CriticalChainFrontier, ThatIsWhatItIs) {
  EXPECT_NEAR(calls_(0.1), 1 + 0.95 + 0.95 * 0.95, 1e-12);
  EXPECT_NEAR(calls_(0.2), 0.5 + 0.5 * 0.95, 1e-12);
  EXPECT_NEAR(calls_(0.3), 0.25, 1e-12);
  EXPECT_NEAR(calls_(0.5), 0, 1e-12);
}

TEST_F(CriticalChainFrontier, FindsACostWhoseOptimalPolicyHasTheWantedCalls) {
  for (const double wanted : {2.8525, 0.975, 0.25}) {
    const Search search(calls_, wanted, {.max_cost = 1});

    EXPECT_EQ(search.controller.outcome(), CostOutcome::kReached) << wanted;
    EXPECT_NEAR(search.controller.best()->calls, wanted, 1e-9);
    EXPECT_NEAR(calls_(search.controller.best()->cost), wanted, 1e-9);
  }
}

TEST_F(CriticalChainFrontier, WhereNoPolicyHasThemItFindsTheTwoCostsAround) {
  const struct {
    double wanted, step;
  } steps[] = {{2, 0.16682380}, {0.5, 0.25126043}, {0.1, 0.42750000}};
  for (const auto& [wanted, step] : steps) {
    const Search search(calls_, wanted, {.max_cost = 1});

    ASSERT_EQ(search.controller.outcome(), CostOutcome::kBetween) << wanted;
    EXPECT_LT(search.controller.above()->cost, step);
    EXPECT_GT(search.controller.below()->cost, step);
    EXPECT_LE(search.controller.below()->cost, 1.0011 * search.controller.above()->cost);
    EXPECT_GT(search.controller.above()->calls, wanted);
    EXPECT_LT(search.controller.below()->calls, wanted);
  }
}

TEST_F(CriticalChainFrontier, OutsideTheTrainedCostsItSaysThatTheyDoNotReachSoFar) {
  const Search rarely(calls_, 0.1, {.min_cost = 0.01, .max_cost = 0.3});
  const Search often(calls_, 2.9, {.min_cost = 0.01, .max_cost = 0.3});
  const Search more_often(calls_, 5, {.min_cost = 0.2, .max_cost = 0.3});

  EXPECT_EQ(rarely.controller.outcome(), CostOutcome::kTooMany);
  EXPECT_EQ(rarely.controller.best(), (CallsAtCost{0.3, calls_(0.3)}));
  EXPECT_EQ(often.controller.outcome(), CostOutcome::kReached);  // 2.8525 is within 2 %.
  EXPECT_EQ(more_often.controller.outcome(), CostOutcome::kTooFew);
  EXPECT_NEAR(more_often.controller.best()->calls, 0.975, 1e-9);
  for (const Search* search : {&rarely, &often, &more_often}) {
    EXPECT_GE(std::ranges::min(search->costs), 0.01);
    EXPECT_LE(std::ranges::max(search->costs), 0.3);
  }
}

TEST(CostController, OnASmoothFrontierControlAloneFindsTheCost) {
  for (const double wanted : {0.4, 2.0, 9.0}) {
    const Search search([](double cost) { return 0.1 / cost; }, wanted);

    ASSERT_EQ(search.controller.outcome(), CostOutcome::kReached) << wanted;
    EXPECT_NEAR(search.controller.best()->calls, wanted, 0.02 * wanted);
    EXPECT_LE(search.costs.size(), 12u) << wanted;
  }
}

TEST(CostController, TooManyCallsRaiseTheCostAndTooFewLowerIt) {
  CostController controller({}, 4);
  const double start = controller.cost();
  EXPECT_NEAR(start, std::sqrt(1e-3 * 0.3), 1e-12);

  controller.Observe(5);  // e = 1/5.
  const double raised = controller.cost();
  EXPECT_NEAR(std::log(raised / start), (1.5 + 0.5 + 0.25) / 5, 1e-9);

  controller.Observe(3);  // The middle: that was below, and the step before above.
  EXPECT_GT(controller.cost(), start);
  EXPECT_LT(controller.cost(), raised);
}

TEST(CostController, WithoutTheOtherGainsItIsDualAscent) {
  const CostControllerOptions dual{.proportional = 0, .integral = 0.5, .derivative = 0};
  CostController controller(dual, 1);
  const double start = controller.cost();

  controller.Observe(2);  // e = 1/2.

  EXPECT_NEAR(controller.cost(), start * std::exp(0.25), 1e-9);
}

// As learned Switchers may: with noise they even call more often at a higher cost.
TEST(CostController, EndsOnEveryStepFunctionAndSaysHow) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::uniform_real_distribution<double> draw(0, 1);
    std::vector<std::pair<double, double>> steps;  // From this cost on so many calls.
    const bool falls = round % 2 == 0;
    for (int i = 0; i < 1 + round % 6; ++i)
      steps.emplace_back(1e-3 * std::pow(300, draw(random)), 20 * draw(random));
    std::ranges::sort(steps);
    const Frontier calls = [&](double cost) {
      double sum = falls ? 30 : 10;
      for (const auto& [from, value] : steps)
        if (cost >= from) sum = falls ? sum * value / 20 : value;
      return sum;
    };
    const double wanted = 0.05 + 25 * draw(random);

    const Search search(calls, wanted);

    const CostController& controller = search.controller;
    ASSERT_NE(controller.outcome(), CostOutcome::kUnsettled) << "round " << round;
    ASSERT_LE(search.costs.size(), 30u);
    ASSERT_TRUE(controller.best());
    ASSERT_DOUBLE_EQ(calls(controller.best()->cost), controller.best()->calls);
    for (const double cost : search.costs) {
      ASSERT_GE(cost, 1e-3);
      ASSERT_LE(cost, 0.3);
    }
    switch (controller.outcome()) {
      case CostOutcome::kReached:
        ASSERT_NEAR(controller.best()->calls,
                    wanted,
                    0.02 * std::max(controller.best()->calls, wanted) + 1e-12);
        break;
      case CostOutcome::kBetween:
        ASSERT_GT(controller.above()->calls, wanted);
        ASSERT_LT(controller.below()->calls, wanted);
        ASSERT_LE(controller.below()->cost, 1.0011 * controller.above()->cost);
        break;
      case CostOutcome::kTooFew:
        ASSERT_LT(calls(1e-3), wanted);
        break;
      case CostOutcome::kTooMany:
        ASSERT_GT(calls(0.3), wanted);
        break;
      default:
        FAIL();
    }
  }
}

TEST(CostController, WhereThereIsOneTrainedCostItIsThatOne) {
  const CostControllerOptions one{.min_cost = 0.02, .max_cost = 0.02};
  const auto outcome = [&](double calls) {
    const Search search([&](double) { return calls; }, 3, one);
    EXPECT_EQ(search.costs, std::vector<double>{0.02});
    return search.controller.outcome();
  };

  EXPECT_EQ(outcome(3), CostOutcome::kReached);
  EXPECT_EQ(outcome(5), CostOutcome::kTooMany);
  EXPECT_EQ(outcome(1), CostOutcome::kTooFew);
}

TEST(CostController, WhenTheTriesRunOutItSaysSo) {
  const Search search([](double cost) { return cost < 0.01 ? 4.0 : 1.0; }, 2, {.tries = 3});

  EXPECT_EQ(search.costs.size(), 3u);
  EXPECT_EQ(search.controller.outcome(), CostOutcome::kUnsettled);
  EXPECT_EQ(search.controller.best()->calls, 1);  // Of 4 and 1 the closer to 2.
}

TEST(CostController, RefusesWhatItCannotControl) {
  using Options = CostControllerOptions;
  EXPECT_TRUE(testing::Refuses<Options>([](Options& o) { o.min_cost = 0; }));
  EXPECT_TRUE(testing::Refuses<Options>([](Options& o) { o.max_cost = 1e-4; }));
  EXPECT_TRUE(testing::Refuses<Options>([](Options& o) { o.integral = 0; }));
  EXPECT_TRUE(testing::Refuses<Options>([](Options& o) { o.resolution = 0; }));
  EXPECT_TRUE(testing::Refuses<Options>([](Options& o) { o.tries = 0; }));
  EXPECT_FALSE(testing::Refuses<Options>([](Options&) {}));
  EXPECT_THROW(CostController({}, 0), core::ConfigError);
  EXPECT_THROW(CostController({}, std::nan("")), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors
