// The exact problems as environments, with the LMs that make the published MDPs of them.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "actors/envs/make_environment.h"
#include "actors/envs/problems/make_problem.h"
#include "actors/envs/problems/memory.h"
#include "actors/episode.h"
#include "actors/switching/rules.h"
#include "tests/support/environment_contract.h"
#include "tests/support/problem_lms.h"
#include "tests/support/problem_mdps.h"

namespace londi::testing {
namespace {

std::vector<ContractCase> AllProblems() {
  std::vector<ContractCase> cases;
  for (const std::string& name : actors::problems::ProblemNames()) {
    std::string letters = name;
    std::erase(letters, '-');
    cases.push_back({letters, [name] { return actors::MakeEnvironment("problems/" + name); }});
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Problems,
                         EnvironmentContract,
                         ::testing::ValuesIn(AllProblems()),
                         ContractCaseName);

}  // namespace
}  // namespace londi::testing

namespace londi::actors::problems {
namespace {

using testing::ProblemLm;

// Collects what the episodes of one Switcher, without cost and budget, came to.
class Play : public EpisodeObserver {
 public:
  Play(const std::string& name, core::Switcher& switcher, int episodes)
      : environment_(MakeEnvironment("problems/" + name)),
        decision_maker_(quick_, deepthink_, switcher, clock_, std::chrono::seconds(1)) {
    for (int i = 0; i < episodes; ++i) {
      const EpisodeSetup setup{.id = core::EpisodeId(i), .seed = static_cast<std::uint64_t>(i)};
      const double reward =
          RunEpisode(*environment_, decision_maker_, setup, clock_, *this).total_reward;
      sum_ += reward;
      squares_ += reward * reward;
      ++episodes_;
    }
  }

  bool AfterStep(const StepRecord& record) override {
    entropies_.resize(std::max<std::size_t>(entropies_.size(), record.step + 1u));
    entropies_[static_cast<std::size_t>(record.step)] = record.decision.quick.entropy;
    return true;
  }

  double mean() const { return sum_ / episodes_; }
  double error() const { return std::sqrt((squares_ / episodes_ - mean() * mean()) / episodes_); }
  const std::vector<float>& entropies() const { return entropies_; }  // Of QUICK, by step.

 private:
  const core::SystemClock clock_;
  ProblemLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  const std::unique_ptr<core::Environment> environment_;
  DecisionMaker decision_maker_;
  double sum_ = 0, squares_ = 0;
  int episodes_ = 0;
  std::vector<float> entropies_;
};

void ExpectMean(const std::string& name, bool always_call, double expected) {
  SCOPED_TRACE(name + (always_call ? " DEEPTHINK" : " QUICK"));
  NeverSwitcher never;
  AlwaysSwitcher always;
  const Play play(name, always_call ? static_cast<core::Switcher&>(always) : never, 2000);
  EXPECT_NEAR(play.mean(), expected, 4 * play.error() + 1e-12);
}

TEST(Problems, BothLmsAreWorthWhatTheMdpSays) {
  for (const Chain& chain : {CriticalChain(), HeterogeneousChain(), TwoKeysChain(), DecoyChain()}) {
    const auto mdp = testing::MakeChainMdp(chain, 1);
    for (const bool g : {false, true})
      ExpectMean(chain.name, g, testing::EvaluatePolicy(mdp, [g](int) { return g; }).returns[0]);
  }
  ExpectMean("assignment", false, 0);
  ExpectMean("assignment", true, 0.5 * kAssignmentSteps);
  ExpectMean("proposal-gate", false, (0.5 + 0.7 + 0.9) / 3);
  ExpectMean("proposal-gate", true, 1);
  ExpectMean("memory", false, 0.5);
  ExpectMean("memory", true, 1);
}

TEST(Problems, QuicksUncertaintySaysNothingAboutWhereACallIsWorthIt) {
  AlwaysSwitcher always;
  const Play decoy("decoy", always, 1);
  ASSERT_EQ(decoy.entropies().size(), 8u);
  for (const std::size_t place : {1u, 3u, 5u})
    EXPECT_NEAR(decoy.entropies()[place], std::log(4.0), 1e-6);
  EXPECT_EQ(decoy.entropies()[6], 0);

  const Play critical("critical-chain", always, 20);
  ASSERT_EQ(critical.entropies().size(), 10u);
  EXPECT_EQ(critical.entropies()[2], critical.entropies()[5]);
  EXPECT_EQ(critical.entropies()[2], critical.entropies()[8]);
}

TEST(Problems, WhatIsAheadIsWhatTheBestActionsEarnIfAllIsSurvived) {
  const auto chain = MakeEnvironment("problems/critical-chain");
  chain->Reset(4);
  EXPECT_EQ(chain->MaxRewardAhead(), 1);
  const auto assignment = MakeEnvironment("problems/assignment");
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    assignment->Reset(seed);
    double ahead = assignment->MaxRewardAhead();
    EXPECT_GT(ahead, 0);
    for (core::StepResult result; !result.done();) {
      result = assignment->Step(assignment->AdmissibleActions().back());  // Takes every gain.
      ahead -= result.reward;
      EXPECT_NEAR(assignment->MaxRewardAhead(), ahead, 1e-12);
    }
    EXPECT_NEAR(ahead, 0, 1e-12);
  }
}

TEST(Problems, TheLightIsSeenInTheFirstPlaceOnly) {
  const auto environment = MakeEnvironment("problems/memory");
  std::vector<bool> was_on(2);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string light = environment->Reset(seed).sentences.at(1);
    was_on[light == "Light 1 of 1"] = true;
    core::StepResult state;
    for (int step = 1; step < kMemorySteps; ++step) {
      state = environment->Step("go on");
      EXPECT_EQ(state.observation.sentences.size(), 1u);
    }
    EXPECT_EQ(environment->Step("rush").reward, light == "Light 1 of 1" ? 0 : 1);
  }
  EXPECT_TRUE(was_on[0] && was_on[1]);
}

TEST(Problems, HaveNoChoicesToMake) {
  EXPECT_THROW((void)MakeEnvironment("problems/decoy", {.kind = "goto"}), core::ConfigError);
  EXPECT_THROW((void)MakeEnvironment("problems/decoy", {.num_distractors = 1}), core::ConfigError);
  EXPECT_THROW((void)MakeEnvironment("problems/none"), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors::problems
