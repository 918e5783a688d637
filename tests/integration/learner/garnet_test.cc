// Properties that hold in every two-action MDP (algorithms.md 5, VP6), on 200 random ones: first of
// dynamic programming itself, then of the learner's relabelling and targets.
#include "tests/support/garnet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/budget.h"
#include "core/budget_meter.h"
#include "learner/algorithms/dueling_loss.h"
#include "learner/algorithms/retrace.h"
#include "learner/replay/nstep.h"
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

// A table Q(s, z, g) for z = 0..kMostLeft and, as the last layer, without a budget.
class Table {
 public:
  static constexpr int kMostLeft = 3;
  static constexpr std::array<int, kMostLeft + 2> kRemaining = {0, 1, 2, kMostLeft, kUnlimited};

  explicit Table(int num_states)
      : values_(static_cast<std::size_t>(num_states) * kRemaining.size() * 2) {}

  double& At(int state, int remaining, bool g) {
    const int layer = remaining == kUnlimited ? kMostLeft + 1 : remaining;
    return values_[static_cast<std::size_t>((state * (kMostLeft + 2) + layer) * 2 + g)];
  }
  bool Greedy(int state, int remaining) {
    return MayActivate(remaining) && At(state, remaining, true) > At(state, remaining, false);
  }

  // `action_gap`: with which the choice that is worth less is lowered (WidenActionGaps).
  double LargestError(const TwoActionMdp& mdp, double cost, double action_gap) {
    const MdpSolution limited(mdp, cost, kMostLeft), unlimited(mdp, cost, kUnlimited);
    double largest = 0;
    for (int state = 0; state < mdp.size(); ++state) {
      for (const int remaining : kRemaining) {
        for (const bool g : {false, true}) {
          if (g && !MayActivate(remaining)) continue;
          const MdpSolution& solution = remaining == kUnlimited ? unlimited : limited;
          const double value = solution.Value(state, remaining, g);
          const double best = MayActivate(remaining)
                                  ? std::max(value, solution.Value(state, remaining, !g))
                                  : value;
          const double expected = best - (best - value) / (1 - action_gap);
          largest = std::max(largest, std::abs(At(state, remaining, g) - expected));
        }
      }
    }
    return largest;
  }

 private:
  std::vector<double> values_;
};

// Successive rows; states[k] is the one behind row k - 1.
struct Walk {
  static constexpr int kLongest = 3;
  std::array<int, kLongest + 1> states{};
  std::array<WindowStep, kLongest> rows{};
};

// How targets are made of a walk, and what had been done on it.
struct Rule {
  int n = Walk::kLongest;       // Rows.
  bool retrace = false;         // Else windows end where the behaviour was not greedy.
  double temperature = 0;       // Of Retrace's policy.
  double behaviour_prob = 0.5;  // Of an activation.
  double action_gap = 0;        // WidenActionGaps.
};

// The same by Retrace, about the policy of algorithms/retrace.h.
double RetraceTargetOf(Table& table,
                       std::span<const Horizon> horizons,
                       const Walk& walk,
                       const Rule& rule,
                       double cost,
                       int remaining) {
  std::array<RetraceStep, Walk::kLongest> behind{};
  std::array<RetraceStep, Walk::kLongest> without_values{};
  for (std::size_t k = 0; k < horizons.size(); ++k) {
    const int left = Spend(remaining, horizons[k].spent);
    if (remaining != kUnlimited && left < 0) break;  // Beyond an overdraft; the trace to it is 0.
    const int state = walk.states[k + 1];
    const double quick = table.At(state, left, false), deepthink = table.At(state, left, true);
    const float p = ActivationProbOf(
        {.return_advantage = static_cast<float>(deepthink - quick), .calls_advantage = 0},
        {0, left},
        rule.temperature);
    const bool activated = k + 1 < horizons.size() && walk.rows[k + 1].activated;
    const auto mu = static_cast<float>(activated ? rule.behaviour_prob : 1 - rule.behaviour_prob);
    const float trace = RetraceTrace(0.95, activated ? p : 1 - p, mu);
    behind[k] = {trace,
                 static_cast<float>((1 - p) * quick + p * deepthink),
                 static_cast<float>(activated ? deepthink : quick)};
    without_values[k] = {.trace = trace};
  }
  return RetraceTarget(horizons, &Horizon::reward, behind) -
         cost * RetraceTarget(horizons, &Horizon::calls, without_values);
}

// The same by ChooseHorizon, about the greedy policy.
double GreedyTargetOf(
    Table& table, std::span<const Horizon> horizons, const Walk& walk, double cost, int remaining) {
  std::array<std::uint8_t, Walk::kLongest> followed{};
  for (std::size_t k = 0; k + 1 < horizons.size(); ++k) {
    const int left = Spend(remaining, horizons[k].spent);
    // Beyond an overdraft nothing is looked at: the row that overdrew was not followed.
    if (remaining != kUnlimited && left < 0) break;
    followed[k] = table.Greedy(walk.states[k + 1], left) == walk.rows[k + 1].activated;
  }
  const Horizon& horizon = horizons[static_cast<std::size_t>(
      ChooseHorizon(horizons, std::span(followed).first(horizons.size())))];
  const int k = static_cast<int>(&horizon - horizons.data()) + 1;
  const int state = walk.states[static_cast<std::size_t>(k)];
  const int left = Spend(remaining, horizon.spent);
  return horizon.reward - cost * horizon.calls +
         horizon.discount * table.At(state, left, table.Greedy(state, left));
}

// `target` of Q(states[0], remaining, rows[0].activated) as it is with WidenActionGaps.
double Widened(Table& table, const Walk& walk, const Rule& rule, int remaining, double target) {
  const int state = walk.states[0];
  const double advantage = table.At(state, remaining, true) - table.At(state, remaining, false);
  Batch batch;
  batch.num_states = 1;
  batch.contexts = {{.cost = 0, .remaining = remaining}};
  batch.entries = {{.activate = walk.rows[0].activated}};
  const std::array values = {core::switcher_network::Values{
      .return_advantage = static_cast<float>(advantage), .calls_advantage = 0}};
  std::array targets = {Target{}};
  WidenActionGaps(batch, values, rule.action_gap, targets);
  return target + targets[0].return_value;
}

// What the learner would teach Q(states[0], remaining, rows[0].activated).
double TargetOf(Table& table,
                const TwoActionMdp& mdp,
                const Walk& walk,
                const Rule& rule,
                double cost,
                int remaining) {
  std::array<Horizon, Walk::kLongest> storage;
  const std::span horizons = std::span(storage).first(static_cast<std::size_t>(rule.n));
  MakeHorizons(std::span(walk.rows).first(horizons.size()), mdp.gamma, storage);
  const double target = rule.retrace ? RetraceTargetOf(table, horizons, walk, rule, cost, remaining)
                                     : GreedyTargetOf(table, horizons, walk, cost, remaining);
  return Widened(table, walk, rule, remaining, target);
}

// (ix), in expectation: all windows are enumerated.
class ExpectedTargets {
 public:
  ExpectedTargets(const TwoActionMdp& mdp, double cost, const Rule& rule)
      : mdp_(mdp), cost_(cost), rule_(rule) {}

  double LargestErrorAfter(int sweeps) {
    Table table(mdp_.size());
    for (int i = 0; i < sweeps; ++i) {
      for (int state = 0; state < mdp_.size(); ++state) {
        for (const int remaining : Table::kRemaining) {
          for (const bool g : {false, true}) {
            if (g && !MayActivate(remaining)) continue;
            Walk walk;
            walk.states[0] = state;
            table.At(state, remaining, g) = Expect(table, walk, 0, g, remaining);
          }
        }
      }
    }
    return table.LargestError(mdp_, cost_, rule_.action_gap);
  }

 private:
  double Expect(Table& table, Walk& walk, std::size_t row, bool g, int remaining) const {
    if (row == Walk::kLongest) return TargetOf(table, mdp_, walk, rule_, cost_, remaining);
    double sum = 0;
    for (const auto& [probability, reward, next] : mdp_.At(walk.states[row], g)) {
      walk.rows[row] = {.reward = static_cast<float>(reward), .activated = g};
      walk.states[row + 1] = next;
      if (row + 1 == Walk::kLongest) {
        sum += probability * Expect(table, walk, row + 1, false, remaining);
      } else {
        for (const bool next_g : {false, true}) {
          const double behaviour = next_g ? rule_.behaviour_prob : 1 - rule_.behaviour_prob;
          sum += probability * behaviour * Expect(table, walk, row + 1, next_g, remaining);
        }
      }
    }
    return sum;
  }

  const TwoActionMdp& mdp_;
  const double cost_;
  const Rule rule_;
};

TEST(Garnet, ExpectedTargetsOfThreeStepsHaveTheOptimumAsTheirFixedPoint) {
  double largest = 0;
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = MakeGarnet(8, 2, 0.8, static_cast<std::uint64_t>(1000 + i));
    largest = std::max(largest, ExpectedTargets(mdp, 0.1, {}).LargestErrorAfter(40));
  }
  RecordProperty("largest_error", std::to_string(largest));
  EXPECT_LE(largest, 1e-3);  // 0.8^40 of the first error; rewards are fp32.
}

// What is greedy, and what it is worth, stay; the other choice falls.
TEST(Garnet, ExpectedTargetsWithWiderGapsHaveTheOptimumOfTheGreedyChoicesAsTheirFixedPoint) {
  double largest = 0;
  for (int i = 0; i < kNumMdps; ++i) {
    const TwoActionMdp mdp = MakeGarnet(8, 2, 0.8, static_cast<std::uint64_t>(1000 + i));
    largest =
        std::max(largest, ExpectedTargets(mdp, 0.1, {.action_gap = 0.5}).LargestErrorAfter(60));
  }
  RecordProperty("largest_error", std::to_string(largest));
  EXPECT_LE(largest, 1e-3);
}

TEST(Garnet, ExpectedRetraceTargetsHaveTheOptimumAsTheirFixedPoint) {
  for (const double temperature : {0.0, 1e-4}) {
    double largest = 0;
    for (int i = 0; i < kNumMdps; ++i) {
      const TwoActionMdp mdp = MakeGarnet(8, 2, 0.8, static_cast<std::uint64_t>(1000 + i));
      ExpectedTargets targets(
          mdp, 0.1, {.retrace = true, .temperature = temperature, .behaviour_prob = 0.3});
      largest = std::max(largest, targets.LargestErrorAfter(40));
    }
    RecordProperty("largest_error_" + std::to_string(temperature), std::to_string(largest));
    EXPECT_LE(largest, 1e-3) << temperature;
  }
}

// (ix), by sampling: one endless random walk, each row teaches all budgets.
double LargestErrorOfSampling(const Rule& rule, std::uint64_t seed, int steps = 2'000'000) {
  const double cost = 0.1;
  const TwoActionMdp mdp = MakeGarnet(6, 2, 0.7, seed);
  Table table(mdp.size());
  std::vector<std::array<int, 2>> visits(static_cast<std::size_t>(mdp.size()));
  Random random(seed);
  Walk walk;
  const auto act = [&](std::size_t row) {
    const bool g = random.Uniform() < rule.behaviour_prob;
    const auto& outcome = Pick(mdp.At(walk.states[row], g), random.Uniform());
    walk.rows[row] = {.reward = static_cast<float>(outcome.reward), .activated = g};
    walk.states[row + 1] = outcome.next;
  };
  for (std::size_t row = 0; row < Walk::kLongest; ++row) act(row);
  for (int step = 0; step < steps; ++step) {
    const int state = walk.states[0];
    const bool g = walk.rows[0].activated;
    const double rate = std::pow(++visits[static_cast<std::size_t>(state)][g], -0.8);
    for (const int remaining : Table::kRemaining) {
      if (g && !MayActivate(remaining)) continue;
      double& value = table.At(state, remaining, g);
      value += rate * (TargetOf(table, mdp, walk, rule, cost, remaining) - value);
    }
    std::shift_left(walk.states.begin(), walk.states.end(), 1);
    std::shift_left(walk.rows.begin(), walk.rows.end(), 1);
    act(Walk::kLongest - 1);
  }
  return table.LargestError(mdp, cost, rule.action_gap);
}

TEST(Garnet, SampledTargetsOfOneAndOfThreeStepsConvergeToTheOptimum) {
  for (const int n : {1, 3}) {
    for (const std::uint64_t seed : {1, 2, 3})
      EXPECT_LE(LargestErrorOfSampling({.n = n}, seed), 1e-2) << n << " steps, seed " << seed;
  }
}

// Calls are rarer here, so their values take longer to settle.
TEST(Garnet, SampledRetraceTargetsConvergeToTheOptimumWhateverWasDone) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    EXPECT_LE(LargestErrorOfSampling(
                  {.retrace = true, .temperature = 1e-3, .behaviour_prob = 0.3}, seed, 6'000'000),
              1e-2)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace londi::learner
