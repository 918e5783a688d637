// The double argmax in random MDPs (algorithms.md 5, VP6) in which DEEPTHINK does what QUICK does
// and rewards are noisy. The larger one of two noisy values is above what either is worth, and
// whoever learns from it carries that on from state to state; whoever chooses by one network and
// values by another, which lags behind, hardly does (van Hasselt et al. 2016, arXiv:1509.06461).
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/budget.h"
#include "core/switcher.h"
#include "learner/algorithms/dqn.h"
#include "learner/replay/random.h"
#include "tests/support/garnet.h"

namespace londi::learner {
namespace {

using testing::MakeGarnet;
using testing::TwoActionMdp;

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
constexpr int kNumMdps = 8;
constexpr int kNumUpdates = 8000;
constexpr int kRowsPerUpdate = 8;  // Few, and large steps: what is learned stays noisy.

// One step each, from any state with either choice. A state is seen one-hot. Only the mask is told
// what is `remaining` of the budget: 0, and QUICK is all there is behind the step.
Batch DrawRows(const TwoActionMdp& mdp, int remaining, Random& random) {
  constexpr float kNoise = 0.5f;  // Of a reward; a coin's, so nothing is expected of it.
  Batch batch;
  batch.num_states = batch.num_successors = kRowsPerUpdate;
  batch.width = mdp.size() + core::kNumContextInputs;
  const auto inputs =
      batch.inputs.Resize(static_cast<std::size_t>(2 * kRowsPerUpdate * batch.width));
  std::ranges::fill(inputs, 0.0f);
  batch.contexts.assign(2 * kRowsPerUpdate, {.cost = 0, .remaining = remaining});
  batch.disagreements.assign(kRowsPerUpdate, Batch::Disagreement::kUnknown);
  const auto show = [&](int row, int state) {
    const auto of_row = inputs.subspan(static_cast<std::size_t>(row * batch.width));
    of_row[static_cast<std::size_t>(state)] = 1;
    of_row[static_cast<std::size_t>(mdp.size() + core::kUnlimitedInput)] = 1;
  };
  for (int row = 0; row < kRowsPerUpdate; ++row) {
    const int state = static_cast<int>(random.Uniform() * mdp.size());
    const bool g = random.Uniform() < 0.5;
    const TwoActionMdp::Outcome& outcome = Pick(mdp.At(state, g), random.Uniform());
    show(row, state);
    show(kRowsPerUpdate + row, outcome.next);
    const float luck = random.Uniform() < 0.5 ? -kNoise : kNoise;
    batch.entries.push_back({.state = row, .activate = g, .first_horizon = row, .num_horizons = 1});
    batch.horizons.push_back({.reward = static_cast<float>(outcome.reward) + luck,
                              .calls = g ? 1.0f : 0.0f,
                              .discount = static_cast<float>(mdp.gamma)});
    batch.horizon_successor.push_back(row);
    batch.horizon_activated.push_back(0);
    batch.horizon_behaviour_prob.push_back(1);
  }
  return batch;
}

// Mean over states and choices, as the last targets have it.
double LearnedValueOf(const TwoActionMdp& mdp, int remaining, std::uint64_t seed) {
  const auto dqn = MakeDqn({.network = {.width = 32, .layers = 1, .adam = {.learning_rate = 4e-2}},
                            .disagreement_width = 0,
                            .calls_loss_weight = 0.01},
                           mdp.size(),
                           "cpu",
                           seed);
  Random random(seed);
  constexpr int kWarmUp = kNumUpdates / 2;
  double sum = 0;
  for (int update = 0; update < kNumUpdates; ++update) {
    const double target = dqn->Update(DrawRows(mdp, remaining, random)).mean_target_return;
    if (update >= kWarmUp) sum += target;
  }
  return sum / (kNumUpdates - kWarmUp);
}

TEST(Garnet, NoiseDoesNotMakeAChoiceBetweenEqualsLookWorthMoreThanNone) {
  at::set_num_threads(1);
  double excess = 0;
  for (int i = 0; i < kNumMdps; ++i) {
    const auto seed = static_cast<std::uint64_t>(1 + i);
    TwoActionMdp mdp = MakeGarnet(10, 2, 0.9, seed);
    for (auto& choices : mdp.states) {
      // Errors shall stay below the Huber loss's bend, beyond which it is no mean that is learned.
      for (TwoActionMdp::Outcome& outcome : choices[0]) outcome.reward *= 0.2;
      choices[1] = choices[0];
    }
    // Learned from the same rows, so their luck cancels.
    excess += (LearnedValueOf(mdp, kUnlimited, seed) - LearnedValueOf(mdp, 0, seed)) / kNumMdps;
  }
  RecordProperty("excess", std::to_string(excess));
  // 0.01 to 0.02 with these seeds and others; 0.06 to 0.07 where the target network chooses, too.
  EXPECT_LE(std::abs(excess), 0.04);
}

}  // namespace
}  // namespace londi::learner
