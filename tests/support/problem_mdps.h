#pragma once

#include <algorithm>
#include <vector>

#include "actors/envs/problems/assignment.h"
#include "actors/envs/problems/chain.h"
#include "tests/support/two_action_mdp.h"

// The exact problems as MDPs for dynamic programming (algorithms.md 5).
namespace londi::testing {

// State = place.
inline TwoActionMdp MakeChainMdp(const actors::problems::Chain& chain, double gamma) {
  TwoActionMdp mdp{.gamma = gamma};
  for (int place = 0; place < chain.size(); ++place) {
    const bool last = place + 1 == chain.size();
    auto& choices = mdp.states.emplace_back();
    for (const bool g : {false, true}) {
      const double survival = chain.Survival(place, g);
      choices[g] = {{.probability = survival,
                     .reward = last ? 1.0 : 0.0,
                     .next = last ? TwoActionMdp::kEnd : place + 1},
                    {.probability = 1 - survival}};
    }
  }
  return mdp;
}

// VP5 on the grid of gains that the environment has. State = step * kGainLevels + level.
inline TwoActionMdp MakeAssignmentMdp() {
  using actors::problems::kAssignmentSteps, actors::problems::kGainLevels;
  TwoActionMdp mdp;
  for (int step = 0; step < kAssignmentSteps; ++step) {
    const bool last = step + 1 == kAssignmentSteps;
    for (int level = 0; level < kGainLevels; ++level) {
      auto& choices = mdp.states.emplace_back();
      for (const bool g : {false, true}) {
        const double reward = g ? (level + 0.5) / kGainLevels : 0;
        for (int next = 0; next < (last ? 1 : kGainLevels); ++next) {
          choices[g].push_back(
              {.probability = last ? 1 : 1.0 / kGainLevels,
               .reward = reward,
               .next = last ? TwoActionMdp::kEnd : (step + 1) * kGainLevels + next});
        }
      }
    }
  }
  return mdp;
}
// Before the first gain is seen.
inline double AssignmentValue(const MdpSolution& solution, int budget) {
  double sum = 0;
  for (int level = 0; level < actors::problems::kGainLevels; ++level)
    sum += solution.Value(level, budget);
  return sum / actors::problems::kGainLevels;
}

// VP5 with gains uniform in [0, 1], in closed form: what the published values are of.
class Assignment {
 public:
  // The optimum, `steps` before the end with `calls` left.
  static double Value(int steps, int calls) {
    if (steps == 0 || calls == 0) return 0;
    const double a = Threshold(steps, calls);
    return Value(steps - 1, calls) * a + (1 - a) * Value(steps - 1, calls - 1) + (1 - a * a) / 2;
  }
  // Gains above it are taken.
  static double Threshold(int steps, int calls) {
    return steps <= calls ? 0 : Value(steps - 1, calls) - Value(steps - 1, calls - 1);
  }

  // Takes what is above `threshold` until the budget is spent.
  static double CappedThresholdValue(int steps, int calls, double threshold) {
    if (steps == 0 || calls == 0) return 0;
    return threshold * CappedThresholdValue(steps - 1, calls, threshold) +
           (1 - threshold) * CappedThresholdValue(steps - 1, calls - 1, threshold) +
           (1 - threshold * threshold) / 2;
  }
  // By ternary search: the value has one peak.
  static double BestCappedThreshold(int steps, int calls) {
    double low = 0, high = 1;
    while (high - low > 1e-9) {
      const double left = low + (high - low) / 3, right = high - (high - low) / 3;
      const bool rises =
          CappedThresholdValue(steps, calls, left) < CappedThresholdValue(steps, calls, right);
      (rises ? low : high) = rises ? left : right;
    }
    return low;
  }
  // Knows all gains in advance: the sum of the largest order statistics.
  static double HindsightValue(int steps, int calls) {
    double sum = 0;
    for (int i = 0; i < calls; ++i) sum += static_cast<double>(steps - i) / (steps + 1);
    return sum;
  }
  // May call that often on average only.
  static double MeanBudgetValue(int steps, int calls) {
    const double threshold = 1 - static_cast<double>(calls) / steps;
    return steps * (1 - threshold * threshold) / 2;
  }
};

// VP7, one step: QUICK is right with probability `odds`. The Switcher chooses knowing whether it is
// (state 0: right, 1: wrong), or without (state 2).
inline TwoActionMdp MakeGateMdp(double odds) {
  using Outcomes = TwoActionMdp::Outcomes;
  const Outcomes right{{.probability = 1, .reward = 1}}, wrong{{.probability = 1, .reward = 0}};
  const Outcomes unseen{{.probability = odds, .reward = 1}, {.probability = 1 - odds}};
  return {.states = {{right, right}, {wrong, right}, {unseen, right}}};
}
inline double PostProposalValue(const MdpSolution& solution, double odds) {
  constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
  return odds * solution.Value(0, kUnlimited) + (1 - odds) * solution.Value(1, kUnlimited);
}

// VP8, `steps` places. Who remembers walks through states 0..steps-1 (light off) or
// steps..2*steps-1 (on); who does not, through 2*steps..3*steps-1, where either is equally likely.
inline TwoActionMdp MakeMemoryMdp(int steps) {
  TwoActionMdp mdp;
  for (const double quick : {1.0, 0.0, 0.5}) {
    const int first = mdp.size();
    for (int place = 0; place < steps; ++place) {
      const TwoActionMdp::Outcomes on{{.probability = 1, .next = first + place + 1}};
      if (place + 1 < steps) {
        mdp.states.push_back({on, on});
      } else {
        mdp.states.push_back({TwoActionMdp::Outcomes{{.probability = quick, .reward = 1},
                                                     {.probability = 1 - quick}},
                              TwoActionMdp::Outcomes{{.probability = 1, .reward = 1}}});
      }
    }
  }
  return mdp;
}

}  // namespace londi::testing
