// Properties that hold in every two-action MDP (algorithms.md 5, VP6), on 200 random ones: first of
// dynamic programming itself, then of the learner's relabelling.
#include "tests/support/garnet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/budget.h"
#include "core/budget_meter.h"
#include "learner/replay/random.h"
#include "learner/replay/relabel.h"

namespace londi::learner {
namespace {

using testing::MakeGarnet;
using testing::MdpSolution;
using testing::TwoActionMdp;

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
constexpr int kNumMdps = 200;
constexpr double kRounding = 1e-12;
constexpr double kCosts[] = {0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6};

// 20 to 199 states.
TwoActionMdp Garnet(int index) {
  return MakeGarnet(20 + index * 37 % 180, 3, 0.9, static_cast<std::uint64_t>(index));
}

std::vector<double> Bellman(const TwoActionMdp& mdp, double cost, const std::vector<double>& v) {
  std::vector<double> out;
  for (int s = 0; s < mdp.size(); ++s)
    out.push_back(
        std::max(Backup(mdp, mdp.At(s, false), v), Backup(mdp, mdp.At(s, true), v) - cost));
  return out;
}

double Distance(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::vector<double> Values(const TwoActionMdp& mdp, double cost, int budget) {
  const MdpSolution solution(mdp, cost, budget);
  std::vector<double> values;
  for (int s = 0; s < mdp.size(); ++s) values.push_back(solution.Value(s, budget));
  return values;
}

std::vector<bool> Choices(const TwoActionMdp& mdp, double cost) {
  const MdpSolution solution(mdp, cost, kUnlimited);
  std::vector<bool> choices;
  for (int s = 0; s < mdp.size(); ++s) choices.push_back(solution.Calls(s, kUnlimited));
  return choices;
}

testing::PolicyValues Evaluate(const TwoActionMdp& mdp, const std::vector<bool>& choices) {
  return EvaluatePolicy(mdp, [&](int s) { return choices[static_cast<std::size_t>(s)]; });
}

// (i)
TEST(Garnet, TheBellmanOperatorContractsToASolutionWithoutResidual) {
  Random random(1);
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = Garnet(i);
    const std::vector<double> solution = Values(mdp, 0.1, kUnlimited);
    EXPECT_LE(Distance(Bellman(mdp, 0.1, solution), solution), kRounding) << i;

    std::vector<double> a, b;
    for (int s = 0; s < mdp.size(); ++s) {
      a.push_back(10 * random.Uniform());
      b.push_back(10 * random.Uniform());
    }
    EXPECT_LE(Distance(Bellman(mdp, 0.1, a), Bellman(mdp, 0.1, b)),
              mdp.gamma * Distance(a, b) + kRounding)
        << i;
  }
}

// (ii)
TEST(Garnet, GreedyChoicesAreThoseOfPolicyIteration) {
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = Garnet(i);
    const double cost = 0.1;
    std::vector<bool> policy(static_cast<std::size_t>(mdp.size()), false), better = policy;
    do {
      policy = better;
      const testing::PolicyValues of_policy = Evaluate(mdp, policy);
      std::vector<double> values;
      for (std::size_t s = 0; s < policy.size(); ++s)
        values.push_back(of_policy.returns[s] - cost * of_policy.calls[s]);
      for (int s = 0; s < mdp.size(); ++s) {
        better[static_cast<std::size_t>(s)] = Backup(mdp, mdp.At(s, true), values) - cost >
                                              Backup(mdp, mdp.At(s, false), values) + 1e-10;
      }
    } while (better != policy);
    EXPECT_EQ(Choices(mdp, cost), policy) << i;
  }
}

// (iii) algorithms.md 2.6: the envelope of all policies' lines R - c N.
TEST(Garnet, ValuesFallConvexlyWithTheCostAndAreReturnMinusCostTimesCalls) {
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = Garnet(i);
    std::vector<double> last_values, last_calls, last_slopes;
    double last_cost = 0;
    for (const double cost : kCosts) {
      const std::vector<double> values = Values(mdp, cost, kUnlimited);
      const testing::PolicyValues parts = Evaluate(mdp, Choices(mdp, cost));
      std::vector<double> slopes;
      for (std::size_t s = 0; s < values.size(); ++s) {
        EXPECT_NEAR(values[s], parts.returns[s] - cost * parts.calls[s], kRounding);
        if (last_values.empty()) continue;
        slopes.push_back((values[s] - last_values[s]) / (cost - last_cost));
        EXPECT_LE(values[s], last_values[s] + kRounding);
        EXPECT_LE(parts.calls[s], last_calls[s] + kRounding);
        // The slope lies between -N at both ends; so slopes grow: convex.
        EXPECT_GE(slopes[s], -last_calls[s] - 1e-9);
        EXPECT_LE(slopes[s], -parts.calls[s] + 1e-9);
        if (!last_slopes.empty()) {
          EXPECT_GE(slopes[s], last_slopes[s] - 1e-9);
        }
      }
      last_values = values;
      last_calls = parts.calls;
      last_slopes = slopes;
      last_cost = cost;
    }
    const std::vector<bool> never(static_cast<std::size_t>(mdp.size()), false);
    EXPECT_LE(Distance(Values(mdp, 1e6, kUnlimited), Evaluate(mdp, never).returns), kRounding);
  }
}

// (iv), (v)
TEST(Garnet, ValuesRiseWithTheBudgetBelowEveryPriceThatStandsForIt) {
  constexpr int kBudgets = 12;
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = Garnet(i);
    const MdpSolution budgeted(mdp, 0, kBudgets);
    const std::vector<bool> never(static_cast<std::size_t>(mdp.size()), false);
    const std::vector<double> quick = Evaluate(mdp, never).returns;
    std::vector<std::vector<double>> priced;
    for (const double cost : kCosts) priced.push_back(Values(mdp, cost, kUnlimited));
    for (int s = 0; s < mdp.size(); ++s) {
      const auto index = static_cast<std::size_t>(s);
      EXPECT_NEAR(budgeted.Value(s, 0), quick[index], kRounding);
      for (int z = 0; z <= kBudgets; ++z) {
        EXPECT_GE(budgeted.Value(s, z), budgeted.Value(s, std::max(z - 1, 0)) - kRounding);
        for (std::size_t c = 0; c < std::size(kCosts); ++c)
          EXPECT_LE(budgeted.Value(s, z), priced[c][index] + kCosts[c] * z + kRounding);
      }
      // Whoever has z calls can follow the unlimited optimum for z steps at least.
      const double most_lost = std::pow(mdp.gamma, kBudgets) / (1 - mdp.gamma);
      EXPECT_GE(budgeted.Value(s, kBudgets), priced[0][index] - most_lost);
    }
  }
}

// (vi), (vii)
TEST(Garnet, EqualLmsAreNeverPaidForAndUnitsDoNotMatter) {
  for (int i = 0; i < kNumMdps; ++i) {
    TwoActionMdp mdp = Garnet(i);
    TwoActionMdp scaled = mdp;
    for (auto& choices : scaled.states) {
      for (auto& outcomes : choices) {
        for (auto& outcome : outcomes) outcome.reward *= 7;
      }
    }
    EXPECT_EQ(Choices(scaled, 7 * 0.1), Choices(mdp, 0.1)) << i;

    for (auto& choices : mdp.states) choices[1] = choices[0];
    EXPECT_EQ(Choices(mdp, 1e-6), std::vector<bool>(mdp.states.size(), false)) << i;
  }
}

// (viii) A row acted under one cost and budget, relabelled, against a simulation that meets the
// same luck under the drawn ones.
TEST(Garnet, ARelabelledRowIsWhatASimulationUnderItsTermsWouldHaveGiven) {
  const RelabelOptions options{.keep = 0, .max_budget = 3};
  Random random(8);
  int times_drawn[5] = {};
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = Garnet(i);
    for (int step = 0; step < 50; ++step) {
      // As recorded: with plenty of budget and cost 0.
      const int state = random.Integer(0, mdp.size() - 1);
      const bool activated = random.Uniform() < 0.5;
      const double luck = random.Uniform();
      const TwoActionMdp::Outcome recorded = Pick(mdp.At(state, activated), luck);
      const std::int32_t steps_left = random.Integer(1, 10);

      const Context drawn = Relabel(options, {0, 100}, activated, steps_left, random);
      core::BudgetGovernor governor(drawn.remaining);
      const bool wants = activated;
      const bool admitted = wants && governor.Reserve().has_value();
      if (admitted) governor.Settle(1);
      const TwoActionMdp::Outcome simulated = Pick(mdp.At(state, admitted), luck);

      EXPECT_EQ(admitted, activated);  // Never drawn: a budget that forbids what was done.
      EXPECT_EQ(simulated.reward, recorded.reward);
      EXPECT_EQ(simulated.next, recorded.next);
      EXPECT_EQ(Spend(drawn.remaining, activated), governor.remaining());
      EXPECT_EQ(MayActivate(Spend(drawn.remaining, activated)), governor.CanReserve());
      EXPECT_LT(drawn.remaining, steps_left);
      ++times_drawn[drawn.remaining + 1];
    }
  }
  for (const int times : times_drawn) EXPECT_GT(times, 100);
}

// (viii) in tokens: a row of any price, under any budget that is drawn for it, is what the governor
// would have admitted and left.
TEST(Garnet, RelabelledRowsWithPricesAreWhatTheGovernorWouldHaveDone) {
  const core::BudgetMeter meter(core::BudgetUnit::kTokens, 20);
  const RelabelOptions options{
      .keep = 0, .max_budget = 6, .unlimited = 0.2, .ticks_per_call = meter.ticks_per_call()};
  Random random(17);
  int num_tight = 0;
  for (int i = 0; i < 20'000; ++i) {
    const core::LmUsage usage{.computed_tokens = random.Integer(1, 60)};
    const std::int32_t price = meter.Price(usage);
    const bool activated = random.Uniform() < 0.5;
    const std::int32_t steps_left = random.Integer(1, 10);

    const Context drawn = Relabel(options, {0, 100}, activated ? price : 0, steps_left, random);
    core::BudgetGovernor governor(drawn.remaining, meter.most_per_call());
    bool admitted = false;
    if (const auto reserved = activated ? governor.Reserve() : std::nullopt) {
      core::LmRequest request;
      if (drawn.remaining != kUnlimited) meter.Limit(*reserved, request);
      admitted = request.Admits(usage.computed_tokens, 0);
      governor.Settle(admitted ? price : 0);
    }

    ASSERT_EQ(admitted, activated);
    ASSERT_EQ(Spend(drawn.remaining, activated ? price : 0), governor.remaining());
    ASSERT_EQ(MayActivate(governor.remaining()), governor.CanReserve());
    num_tight += activated && drawn.remaining == price;
  }
  EXPECT_GT(num_tight, 20);  // Budgets of exactly the price occur.
}

}  // namespace
}  // namespace londi::learner
