// Algorithms with a stochastic policy on the production path (environment -> actor -> log ->
// learner -> weights -> actor), acting by nothing but that policy, at one cost: its likelier
// choices must be the optimum's, call by call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/envs/make_environment.h"
#include "actors/switching/make_switcher.h"
#include "tests/support/in_process_rounds.h"
#include "tests/support/problem_lms.h"
#include "tests/support/problem_mdps.h"

namespace londi::testing {
namespace {

constexpr int kUnlimited = core::BudgetGovernor::kUnlimited;
constexpr double kGamma = 0.95;

// At one cost, with budgets of 0..max_budget and without.
launch::LockStepOptions OptionsFor(const std::string& algorithm, double cost, int max_budget) {
  launch::LockStepOptions options;
  options.actor.exploration = {
      .always_quick = 0, .always_deepthink = 0, .random_rate = 0, .takeover = 0};
  options.actor.terms = {
      .zero_cost = 0, .min_cost = cost, .max_cost = cost, .max_budget = max_budget};

  learner::LearnerOptions& learner = options.learner;
  learner.batch.batch_size = 256;
  learner.batch.gamma = kGamma;
  learner.batch.agreement_rows = false;
  learner.batch.relabel.enabled = false;
  learner.replay.alpha = 0;
  learner.algorithm.name = algorithm;
  learner.device = "cpu";
  learner.threads = 1;
  learner.publish_every = 100;
  learner.checkpoint_every = std::chrono::hours(1);
  return options;
}

launch::LockStepOptions SacOptionsFor(double cost, int max_budget) {
  constexpr int kUpdates = 4000, kTurns = 10;
  launch::LockStepOptions options = OptionsFor("sac", cost, max_budget);
  options.rows_per_turn = 1000;
  options.updates_per_turn = kUpdates / kTurns;
  options.learner.max_updates = kUpdates;
  options.learner.n_step = 1;
  options.learner.algorithm.sac = {
      .network = {.width = 64,
                  .layers = 2,
                  .adam = {.learning_rate = 2e-3, .final_learning_rate = 1e-4}},
      .target_rate = 0.02,
      .temperature = cost / 2,
      .target_entropy = 0.02};
  return options;
}

// A turn is one rollout: 2,048 rows less the open ends of the actors' turns, four times in batches
// of 256.
launch::LockStepOptions PpoOptionsFor(double cost, int max_budget) {
  launch::LockStepOptions options = OptionsFor("ppo", cost, max_budget);
  constexpr int kTurns = 200;  // After 100 one training of five missed a choice.
  options.rows_per_turn = 256;
  options.updates_per_turn = 32;
  options.learner.max_updates = kTurns * options.updates_per_turn;
  options.learner.n_step = 10;  // A walk.
  options.learner.rollout = {.rows = 7 * 256 + 1, .epochs = 4};
  learner::NetworkOptions& network = options.learner.algorithm.ppo.network;
  network.width = 64;
  network.layers = 2;
  network.adam.learning_rate = 1e-3;
  network.adam.final_learning_rate = 1e-4;
  return options;
}

// Two policies of the critical chain in one network: with a budget of 0..max_budget, and without.
class LearnedPolicy {
 public:
  explicit LearnedPolicy(const launch::LockStepOptions& options)
      : cost_(options.actor.terms.max_cost) {
    InProcessRounds rounds(
        options, {.make_environment = factory_, .quick = quick_, .deepthink = deepthink_});
    weights_ = rounds.Run();
  }

  // Returns the places where it calls, each met by as many episodes as it takes.
  std::vector<int> ExpectOptimal(int budget) {
    SCOPED_TRACE("budget " + std::to_string(budget));
    struct Walk : actors::EpisodeObserver {
      explicit Walk(const MdpSolution& solution) : solution(solution) {}
      bool AfterStep(const actors::StepRecord& record) override {
        if (record.step != reached) return true;  // Seen before: a chain has one way.
        ++reached;
        const bool g = record.decision.choice.activate;
        if (g) calls.push_back(record.step);
        EXPECT_TRUE(solution.IsOptimal(record.step, record.remaining, g))
            << (g ? "called" : "did not call") << " at " << record.step << " with "
            << record.remaining << " left";
        return true;
      }
      const MdpSolution& solution;
      int reached = 0;
      std::vector<int> calls;
    };
    const MdpSolution solution(mdp_, cost_, budget);
    Walk walk(solution);
    const auto switcher = actors::MakeSwitcher({.kind = "mlp"}, 1);
    switcher->Load(weights_);
    actors::DecisionMaker decision_maker(
        quick_, deepthink_, *switcher, clock_, std::chrono::seconds(10));
    const auto environment = factory_();
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      RunEpisode(*environment,
                 decision_maker,
                 {.seed = seed, .terms = {.cost = static_cast<float>(cost_), .budget = budget}},
                 clock_,
                 walk);
    }
    EXPECT_EQ(walk.reached, mdp_.size());
    return walk.calls;
  }

 private:
  const double cost_;
  const TwoActionMdp mdp_ = MakeChainMdp(actors::problems::CriticalChain(), kGamma);
  const core::SystemClock clock_;
  ProblemLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  const actors::EnvironmentFactory factory_ = [] {
    return actors::MakeEnvironment("problems/critical-chain");
  };
  std::shared_ptr<const core::WeightsSnapshot> weights_;
};

using Places = std::vector<int>;

TEST(Sac, FindsTheOptimalCallsAtItsCostWithAndWithoutABudget) {
  LearnedPolicy learned(SacOptionsFor(/*cost=*/0.1, /*max_budget=*/2));

  EXPECT_EQ(learned.ExpectOptimal(kUnlimited), (Places{2, 5, 8}));
  EXPECT_EQ(learned.ExpectOptimal(0), (Places{}));
  EXPECT_EQ(learned.ExpectOptimal(1).size(), 1u);
  EXPECT_EQ(learned.ExpectOptimal(2).size(), 2u);
}

TEST(Sac, LeavesCallsOutThatAreNotWorthAHigherCost) {
  EXPECT_EQ(LearnedPolicy(SacOptionsFor(/*cost=*/0.2, /*max_budget=*/1)).ExpectOptimal(kUnlimited),
            (Places{5, 8}));
}

TEST(Ppo, FindsTheOptimalCallsAtItsCostWithAndWithoutABudget) {
  LearnedPolicy learned(PpoOptionsFor(/*cost=*/0.1, /*max_budget=*/2));

  EXPECT_EQ(learned.ExpectOptimal(kUnlimited), (Places{2, 5, 8}));
  EXPECT_EQ(learned.ExpectOptimal(0), (Places{}));
  EXPECT_EQ(learned.ExpectOptimal(1).size(), 1u);
  EXPECT_EQ(learned.ExpectOptimal(2).size(), 2u);
}

// In the manner of BAAR: relative to the better of never and always calling, on the same throws of
// the LMs' coins, the optimum is the same.
TEST(Ppo, FindsThemRelativeToItsBoundaries) {
  launch::LockStepOptions options = PpoOptionsFor(/*cost=*/0.1, /*max_budget=*/2);
  options.actor.boundaries = {.rollouts = 2, .gamma = kGamma};
  LearnedPolicy learned(options);

  EXPECT_EQ(learned.ExpectOptimal(kUnlimited), (Places{2, 5, 8}));
  EXPECT_EQ(learned.ExpectOptimal(0), (Places{}));
  EXPECT_EQ(learned.ExpectOptimal(1).size(), 1u);
  EXPECT_EQ(learned.ExpectOptimal(2).size(), 2u);
}

}  // namespace
}  // namespace londi::testing
