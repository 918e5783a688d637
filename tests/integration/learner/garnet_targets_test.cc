// What the learner's targets converge to in two-action MDPs (algorithms.md 5, VP6), random ones:
// the optimum of dynamic programming, whatever was done.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "core/budget.h"
#include "learner/algorithms/dueling_loss.h"
#include "learner/algorithms/retrace.h"
#include "learner/replay/nstep.h"
#include "learner/replay/random.h"
#include "learner/replay/relabel.h"
#include "tests/support/garnet.h"

namespace londi::learner {
namespace {

using testing::MakeGarnet;
using testing::MdpSolution;
using testing::TwoActionMdp;

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
constexpr int kNumMdps = 200;

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
  const std::array values = {
      Values{.return_advantage = static_cast<float>(advantage), .calls_advantage = 0}};
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
