// The learner against problems whose optimum is known: simulated rows -> log -> replay ->
// relabelling -> targets -> network, then the greedy policy and the values it believes in are
// compared with dynamic programming.
#include "tests/support/tabular_chain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "learner/algorithms/dqn.h"
#include "learner/batch.h"
#include "learner/replay.h"
#include "learner/segment_log.h"
#include "tests/support/switcher_reference.h"
#include "tests/support/temp_folder.h"

namespace londi::learner {
namespace {

using testing::ChainSimulator;
using testing::SwitcherReference;
using testing::TabularChain;

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;

// The policies below were right with each seed of 1, 2 and 3 (of 1 to 4 in the heterogeneous
// chain).
struct Training {
  int seed = 1;  // Of simulation, sampling and first weights.
  int episodes = 15000;
  int updates = 8000;
  double max_cost = 0.5;
  // Cost 0 is a corner of the network's inputs that it learns mostly from samples of just that
  // cost.
  double zero_cost = 0.3;
};

// The learned network of a chain.
class LearnedChain {
 public:
  LearnedChain(TabularChain chain, Training training) : chain_(std::move(chain)) {
    SegmentLog log(folder_.path(), {});
    std::vector<core::Transition> rows;
    ChainSimulator simulator(chain_, training.seed);
    for (int i = 0; i < training.episodes; ++i)
      simulator.AppendEpisode(rows, {.max_cost = training.max_cost});
    log.Append(rows);

    // Survival is a coin: large errors are mostly its noise, so rows are drawn uniformly.
    Replay replay(log,
                  {.capacity = 200'000, .alpha = 0, .beta_updates = training.updates / 2},
                  /*n_step=*/3);
    replay.CatchUp(log.end());
    BatchOptions batch_options;
    batch_options.batch_size = 256;
    batch_options.gamma = chain_.gamma;
    batch_options.relabel = {.zero_cost = training.zero_cost,
                             .min_cost = 0.01,
                             .max_cost = training.max_cost,
                             .max_budget = 4};
    // Small steps at the end average the noise of sampled outcomes out.
    const DqnOptions dqn{.width = 64,
                         .layers = 2,
                         .learning_rate = 2e-3,
                         .final_learning_rate = 2e-5,
                         .decay_updates = training.updates * 9 / 10,
                         .adam_epsilon = 1e-5,
                         .target_rate = 0.02};
    const auto algorithm = MakeDqn(dqn, log.num_features(), "cpu", training.seed + 100);

    Random random(training.seed + 200);
    Replay::Samples samples;
    Batch batch;
    for (int i = 0; i < training.updates; ++i) {
      replay.Sample(batch_options.batch_size, replay.Beta(i), random, samples);
      MakeBatch(replay, samples, batch_options, random, batch);
      replay.UpdatePriorities(samples.rows, algorithm->Update(batch).errors);
    }
    weights_ = algorithm->Export(core::WeightsVersion(1));
  }

  // The greedy policy is worth exactly the optimum from the start, hence optimal in every state it
  // reaches; ties may fall either way. Believed values are near the true ones in those states.
  void ExpectOptimal(double cost, int budget) const {
    SCOPED_TRACE("cost " + std::to_string(cost) + ", budget " + std::to_string(budget));
    const SwitcherReference network(*weights_);
    const auto evaluate = [&](int state, int remaining) {
      return network.Evaluate(
          chain_.Features(state), static_cast<float>(cost), remaining, chain_.StepsLeft(state));
    };
    const auto greedy = [&](int state, int remaining) {
      return evaluate(state, remaining).Advantage(cost) > 0;
    };
    EXPECT_NEAR(
        ValueOf(chain_, greedy, cost, 0, budget), OptimalValue(chain_, cost, 0, budget), 1e-9);

    int remaining = budget;
    for (int state = 0; state < chain_.size(); ++state) {
      const auto heads = evaluate(state, remaining);
      const bool g = testing::Affords(remaining) && greedy(state, remaining);
      EXPECT_NEAR(
          heads.Return(g) - cost * heads.Calls(g),
          OptimalValue(chain_, cost, state, remaining),
          0.12)  // In those runs at most 0.09: one small network for all terms, sampled outcomes.
          << "state " << state << ", remaining " << remaining;
      if (chain_.Survival(state, g) == 0) break;
      remaining = testing::Less(remaining, g);
    }
  }

  // States that the greedy policy can reach and in which it activates.
  std::vector<int> Calls(double cost, int budget) const {
    const SwitcherReference network(*weights_);
    std::vector<int> calls;
    for (int state = 0; state < chain_.size(); ++state) {
      const auto heads = network.Evaluate(
          chain_.Features(state), static_cast<float>(cost), budget, chain_.StepsLeft(state));
      const bool g = testing::Affords(budget) && heads.Advantage(cost) > 0;
      if (g) calls.push_back(state);
      if (chain_.Survival(state, g) == 0) break;
      budget = testing::Less(budget, g);
    }
    return calls;
  }

 private:
  testing::TempFolder folder_;
  TabularChain chain_;
  std::shared_ptr<const core::WeightsSnapshot> weights_;
};

TEST(TabularChain, DynamicProgrammingReproducesThePublishedValues) {
  const TabularChain vp1 = TabularChain::Critical();
  EXPECT_NEAR(OptimalValue(vp1, 0, 0, kUnlimited), 0.54036009, 1e-8);
  EXPECT_NEAR(OptimalValue(vp1, 0.1, 0, kUnlimited), 0.31672720, 1e-8);
  EXPECT_NEAR(OptimalValue(vp1, 0.2, 0, kUnlimited), 0.14399701, 1e-8);
  EXPECT_NEAR(OptimalValue(vp1, 0, 0, 1), 0.14968423, 1e-8);
  EXPECT_NEAR(OptimalValue(vp1, 0, 0, 2), 0.28440005, 1e-8);
  EXPECT_NEAR(OptimalValue(TabularChain::Heterogeneous(), 0, 0, 1), 0.32331795, 1e-8);
  EXPECT_NEAR(OptimalValue(TabularChain::TwoKeys(), 0, 0, 1), 0, 1e-8);
  EXPECT_NEAR(OptimalValue(TabularChain::TwoKeys(), 0, 0, 2), 1, 1e-8);
}

TEST(TabularChain, CriticalChainIsSolvedForEveryCostAndBudgetByOneNetwork) {
  const LearnedChain learned(TabularChain::Critical(), {});

  for (const double cost : {0.1, 0.2, 0.3, 0.45}) learned.ExpectOptimal(cost, kUnlimited);
  for (const int budget : {0, 1, 2, 3, kUnlimited}) learned.ExpectOptimal(0, budget);
  for (const int budget : {0, 1, 2, 3}) learned.ExpectOptimal(0.2, budget);
  EXPECT_EQ(learned.Calls(0.1, kUnlimited), (std::vector<int>{2, 5, 8}));
  EXPECT_EQ(learned.Calls(0.2, kUnlimited), (std::vector<int>{5, 8}));
  EXPECT_EQ(learned.Calls(0.3, kUnlimited), (std::vector<int>{8}));
  EXPECT_EQ(learned.Calls(0.45, kUnlimited), (std::vector<int>{}));
}

TEST(TabularChain, HeterogeneousChainSpendsTheOnlyActivationWhereItIsWorthMost) {
  // The call at state 2 is worth 0.028 and is asked for at cost 0 only. Where a tenth of the
  // samples had that cost, two of three seeds missed it (6000 updates, otherwise as here).
  const LearnedChain learned(TabularChain::Heterogeneous(), {.zero_cost = 0.6});

  for (const int budget : {0, 1, 2, 3}) learned.ExpectOptimal(0, budget);
  EXPECT_EQ(learned.Calls(0.01, 1), (std::vector<int>{5}));
}

TEST(TabularChain, TwoKeysAreBoughtTogetherOrNotAtAll) {
  const LearnedChain learned(TabularChain::TwoKeys(), {.max_cost = 0.8});

  for (const int budget : {0, 1, 2, 3, kUnlimited}) learned.ExpectOptimal(0, budget);
  for (const double cost : {0.1, 0.3, 0.45, 0.6}) learned.ExpectOptimal(cost, kUnlimited);
  for (const double cost : {0.1, 0.3}) learned.ExpectOptimal(cost, 1);
  EXPECT_EQ(learned.Calls(0.3, kUnlimited), (std::vector<int>{1, 4}));
  EXPECT_EQ(learned.Calls(0.6, kUnlimited), (std::vector<int>{}));
}

TEST(TabularChain, DecoyIsIgnoredAndTheFatalConfidenceIsMet) {
  const LearnedChain learned(TabularChain::Decoy(), {.max_cost = 0.9});

  for (const int budget : {0, 1, 2}) learned.ExpectOptimal(0, budget);
  for (const double cost : {0.1, 0.5, 0.8}) learned.ExpectOptimal(cost, kUnlimited);
  EXPECT_EQ(learned.Calls(0.1, 1), (std::vector<int>{6}));
  EXPECT_EQ(learned.Calls(0.5, kUnlimited), (std::vector<int>{6}));
}

}  // namespace
}  // namespace londi::learner
