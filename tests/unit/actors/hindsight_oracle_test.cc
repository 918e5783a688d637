#include "actors/hindsight_oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/caching_language_model.h"
#include "actors/envs/make_environment.h"
#include "core/error.h"
#include "core/prompt.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/problem_lms.h"
#include "tests/support/refuses.h"

namespace londi::actors {
namespace {

using testing::FakeLanguageModel;
using testing::ProblemLm;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int32_t kUnlimited = core::BudgetGovernor::kUnlimited;

// The first steps of another environment: short enough to try everything.
class FirstSteps final : public core::Environment {
 public:
  FirstSteps(std::unique_ptr<core::Environment> whole, int num_steps, bool tells_bound = true)
      : whole_(std::move(whole)), num_steps_(num_steps), tells_bound_(tells_bound) {}

  core::Observation Reset(std::uint64_t seed) override {
    step_ = 0;
    return whole_->Reset(seed);
  }
  core::StepResult Step(std::string_view action) override {
    core::StepResult result = whole_->Step(action);
    result.truncated = result.truncated || ++step_ == num_steps_;
    return result;
  }
  std::vector<std::string> AdmissibleActions() const override {
    return whole_->AdmissibleActions();
  }
  int MaxSteps() const override { return num_steps_; }
  double MaxRewardAhead() const override {
    return tells_bound_ ? whole_->MaxRewardAhead() : kInfinity;
  }
  std::string Kind() const override { return whole_->Kind(); }
  std::unique_ptr<core::Environment> Clone() const override {
    auto copy = std::make_unique<FirstSteps>(whole_->Clone(), num_steps_, tells_bound_);
    copy->step_ = step_;
    return copy;
  }

 private:
  std::unique_ptr<core::Environment> whole_;
  const int num_steps_;
  const bool tells_bound_;
  int step_ = 0;
};

// Tries every way to call, without a bound and without knowing where the LMs agree.
class BruteForce {
 public:
  BruteForce(core::LanguageModel& quick, core::LanguageModel& deepthink)
      : quick_(quick), deepthink_(deepthink) {}

  double Best(const core::Environment& environment,
              const core::Transcript& transcript,
              double cost,
              std::int32_t budget) {
    const std::vector<std::string> actions = environment.AdmissibleActions();
    double best = -kInfinity;
    for (const bool call : {false, true}) {
      if (call && budget == 0) continue;
      const core::LmRequest request{.prompt = transcript.prompt(),
                                    .candidates = core::Transcript::Candidates(actions)};
      const core::Proposal proposal = (call ? deepthink_ : quick_).Propose(request);
      const std::string& action = actions[static_cast<std::size_t>(proposal.action)];
      const auto copy = environment.Clone();
      const core::StepResult result = copy->Step(action);
      double value = result.reward - (call ? cost : 0);
      if (!result.done()) {
        core::Transcript next = transcript;
        next.Append(action, result.observation);
        value += Best(*copy, next, cost, budget < 0 ? budget : budget - call);
      }
      best = std::max(best, value);
    }
    return best;
  }

 private:
  core::LanguageModel& quick_;
  core::LanguageModel& deepthink_;
};

class Oracle {
 public:
  Oracle(core::Environment& environment, core::LanguageModel& quick, core::LanguageModel& deepthink)
      : environment_(environment), quick_(quick), deepthink_(deepthink) {}

  HindsightPlan Plan(std::uint64_t seed,
                     double cost,
                     std::int32_t budget = kUnlimited,
                     std::int64_t max_nodes = 1'000'000) {
    first_ = environment_.Reset(seed);
    return *FindHindsightPlan({.cost = static_cast<float>(cost), .budget = budget},
                              1,
                              {.max_nodes = max_nodes},
                              {.environment = environment_,
                               .first = first_,
                               .quick = quick_,
                               .deepthink = deepthink_,
                               .clock = clock_,
                               .lm_timeout = std::chrono::seconds(1),
                               .stopping = stopping_});
  }
  double BestByBruteForce(double cost, std::int32_t budget) {  // Of the seed of the last Plan.
    return BruteForce(quick_, deepthink_)
        .Best(environment_, core::Transcript(first_), static_cast<float>(cost), budget);
  }
  void Stop() { stopping_ = true; }

 private:
  core::Environment& environment_;
  core::LanguageModel& quick_;
  core::LanguageModel& deepthink_;
  core::Observation first_;
  testing::FakeClock clock_;
  std::atomic<bool> stopping_ = false;
};

std::int64_t NumCalls(const HindsightPlan& plan) {
  return std::count(plan.calls.begin(), plan.calls.end(), true);
}

class HindsightOracleOnProblems : public ::testing::TestWithParam<const char*> {
 protected:
  ProblemLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
};

TEST_P(HindsightOracleOnProblems, FindsWhatTryingEverythingFinds) {
  const auto environment = MakeEnvironment(std::string("problems/") + GetParam());
  Oracle oracle(*environment, quick_, deepthink_);
  std::int64_t calls = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    for (const double cost : {0.0, 0.03, 0.2, 0.6}) {
      for (const std::int32_t budget : {0, 1, 2, kUnlimited}) {
        const HindsightPlan plan = oracle.Plan(seed, cost, budget);
        EXPECT_TRUE(plan.proven);
        EXPECT_EQ(plan.bound, plan.value);
        EXPECT_NEAR(plan.value, oracle.BestByBruteForce(cost, budget), 1e-7)
            << "seed " << seed << " c " << cost << " B " << budget;
        if (budget >= 0) {
          EXPECT_LE(NumCalls(plan), budget);
        }
        calls += NumCalls(plan);
      }
    }
  }
  EXPECT_GT(calls, 0);  // Else nothing was at stake.
}

TEST_P(HindsightOracleOnProblems, ABoundThatIsNotKnownCostsStatesButNotTheOptimum) {
  const std::string id = std::string("problems/") + GetParam();
  FirstSteps told(MakeEnvironment(id), 20);
  FirstSteps untold(MakeEnvironment(id), 20, /*tells_bound=*/false);
  Oracle with(told, quick_, deepthink_), without(untold, quick_, deepthink_);
  std::int64_t nodes_with = 0, nodes_without = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const HindsightPlan a = with.Plan(seed, 0.1), b = without.Plan(seed, 0.1);
    EXPECT_NEAR(a.value, b.value, 1e-12);
    nodes_with += a.nodes;
    nodes_without += b.nodes;
  }
  EXPECT_LE(nodes_with, nodes_without);
}

INSTANTIATE_TEST_SUITE_P(Problems,
                         HindsightOracleOnProblems,
                         ::testing::Values("critical-chain",
                                           "heterogeneous-chain",
                                           "two-keys",
                                           "decoy",
                                           "assignment",
                                           "memory",
                                           "proposal-gate"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

// LMs that propose whatever comes out of a hash, over six actions: they agree by chance only, and
// reach a goal by luck.
TEST(HindsightOracle, FindsInBabyAiWhatTryingEverythingFinds) {
  FirstSteps environment(MakeEnvironment("babyai/GoToRedBallGrey"), 9);
  FakeLanguageModel quick("0000000000000001"), deepthink("0000000000000002");
  Oracle oracle(environment, quick, deepthink);
  int solved = 0, unsolved = 0;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    for (const auto& [cost, budget] :
         {std::tuple{0.01, kUnlimited}, {0.0, 2}, {0.02, 1}, {0.3, kUnlimited}}) {
      const HindsightPlan plan = oracle.Plan(seed, cost, budget);
      EXPECT_TRUE(plan.proven);
      EXPECT_NEAR(plan.value, oracle.BestByBruteForce(cost, budget), 1e-7)
          << "seed " << seed << " c " << cost << " B " << budget;
      ++(plan.value > 0 ? solved : unsolved);
    }
  }
  EXPECT_GT(solved, 5);
  EXPECT_GT(unsolved, 5);
}

TEST(HindsightOracle, ALimitOfStatesLeavesAPlanAndABoundThatHold) {
  FirstSteps environment(MakeEnvironment("babyai/GoToRedBallGrey"), 9);
  FakeLanguageModel quick("0000000000000001"), deepthink("0000000000000002");
  Oracle oracle(environment, quick, deepthink);
  int unproven = 0, better = 0;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const HindsightPlan best = oracle.Plan(seed, 0.01);
    double before = -kInfinity;
    for (const std::int64_t limit : {1, 30, 120}) {
      const HindsightPlan plan = oracle.Plan(seed, 0.01, kUnlimited, limit);
      EXPECT_LE(plan.nodes, std::max<std::int64_t>(limit, 9));  // QUICK's way is always looked at.
      EXPECT_LE(plan.value, best.value + 1e-9);
      EXPECT_GE(plan.bound, best.value - 1e-9);
      if (plan.proven) {
        EXPECT_NEAR(plan.value, best.value, 1e-9);
      }
      unproven += !plan.proven;
      better += plan.value > before + 1e-9 && limit > 1;
      before = plan.value;
    }
  }
  EXPECT_GT(unproven, 0);
  EXPECT_GT(better, 0);
}

// Three calls are needed, and worth it: at 0 the search must not call where nothing is gained.
TEST(HindsightOracle, MakesNoCallThatIsWorthNothing) {
  const auto environment = MakeEnvironment("problems/two-keys");
  ProblemLm quick(core::Tier::kQuick), deepthink(core::Tier::kDeepthink);
  Oracle oracle(*environment, quick, deepthink);

  EXPECT_EQ(NumCalls(oracle.Plan(1, 0)), 2);
  EXPECT_EQ(NumCalls(oracle.Plan(1, 0.4)), 2);
  EXPECT_EQ(NumCalls(oracle.Plan(1, 0.6)), 0);   // Two cost more than the reward.
  EXPECT_EQ(NumCalls(oracle.Plan(1, 0, 1)), 0);  // One opens nothing.
  const HindsightPlan plan = oracle.Plan(1, 0.4);
  EXPECT_NEAR(plan.value, 0.2, 1e-6);
  EXPECT_EQ(plan.calls, (std::vector<bool>{false, true, false, false, true, false}));
}

// QUICK's other ways are as good as DEEPTHINK's in three places: a walk that calls wherever the LMs
// differ finds the reward with four calls, of which one is needed.
TEST(HindsightOracle, ForNothingItStillMakesTheFewestCalls) {
  const auto environment = MakeEnvironment("problems/decoy");
  ProblemLm quick(core::Tier::kQuick), deepthink(core::Tier::kDeepthink);
  Oracle oracle(*environment, quick, deepthink);

  const HindsightPlan plan = oracle.Plan(1, 0);

  EXPECT_EQ(plan.value, 1);
  EXPECT_EQ(NumCalls(plan), 1);
  EXPECT_TRUE(plan.calls.at(6));
}

TEST(HindsightOracle, LmsThatAgreeLeaveNothingToSearch) {
  const auto environment = MakeEnvironment("problems/critical-chain");
  ProblemLm lm(core::Tier::kDeepthink);
  Oracle oracle(*environment, lm, lm);

  const HindsightPlan plan = oracle.Plan(3, 0);

  EXPECT_TRUE(plan.proven);
  EXPECT_EQ(NumCalls(plan), 0);
  EXPECT_EQ(plan.nodes, static_cast<std::int64_t>(plan.calls.size()));
}

TEST(HindsightOracle, DoesNotAskDeepthinkForWhatTheBudgetForbids) {
  const auto environment = MakeEnvironment("problems/critical-chain");
  ProblemLm quick(core::Tier::kQuick);
  FakeLanguageModel deepthink;
  Oracle oracle(*environment, quick, deepthink);

  const HindsightPlan plan = oracle.Plan(3, 0.1, 0);

  EXPECT_TRUE(plan.proven);
  EXPECT_EQ(deepthink.num_calls(), 0);
}

TEST(HindsightOracle, StopsWhenAsked) {
  const auto environment = MakeEnvironment("problems/critical-chain");
  ProblemLm quick(core::Tier::kQuick), deepthink(core::Tier::kDeepthink);
  testing::FakeClock clock;
  const std::atomic<bool> stopping = true;
  const core::Observation first = environment->Reset(1);

  EXPECT_FALSE(FindHindsightPlan({},
                                 1,
                                 {},
                                 {.environment = *environment,
                                  .first = first,
                                  .quick = quick,
                                  .deepthink = deepthink,
                                  .clock = clock,
                                  .lm_timeout = std::chrono::seconds(1),
                                  .stopping = stopping}));
}

// Nobody copies it.
class Unique final : public core::Environment {
 public:
  core::Observation Reset(std::uint64_t) override { return {.mission = "wait"}; }
  core::StepResult Step(std::string_view) override { return {.truncated = true}; }
  std::vector<std::string> AdmissibleActions() const override { return {"wait"}; }
  int MaxSteps() const override { return 1; }
  std::string Kind() const override { return "unique"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }
};

TEST(HindsightOracle, SaysThatItCannotSearchWhatMakesNoCopies) {
  Unique environment;
  FakeLanguageModel lm;
  Oracle oracle(environment, lm, lm);
  testing::CountingEnvironment copied;

  EXPECT_THROW(oracle.Plan(1, 0.1), core::ConfigError);
  EXPECT_THROW(RequireClones(environment), core::ConfigError);
  EXPECT_NO_THROW(RequireClones(copied));
}

TEST(HindsightOracle, RefusesAnAnswerToAnotherQuestion) {
  const auto environment = MakeEnvironment("problems/critical-chain");
  ProblemLm deepthink(core::Tier::kDeepthink);
  FakeLanguageModel broken([](const core::LmRequest&) {
    core::Proposal proposal{.log_probs = {-1.0f}};
    proposal.action = 7;
    return proposal;
  });
  Oracle oracle(*environment, broken, deepthink);

  EXPECT_THROW(oracle.Plan(1, 0.1), core::ProtocolError);
}

TEST(HindsightOptions, AreValidated) {
  EXPECT_FALSE(testing::Refuses<HindsightOptions>([](HindsightOptions&) {}));
  EXPECT_TRUE(testing::Refuses<HindsightOptions>([](HindsightOptions& o) { o.max_nodes = 0; }));
}

TEST(PlannedSwitcher, CallsWhereItWasToldAndNowhereElse) {
  const auto switcher = MakePlannedSwitcher({false, true});
  const auto calls = [&] { return switcher->Choose({}).activate; };
  for (int episode = 0; episode < 2; ++episode) {
    switcher->StartEpisode();
    EXPECT_FALSE(calls());
    EXPECT_TRUE(calls());
    EXPECT_FALSE(calls());
  }
}

}  // namespace
}  // namespace londi::actors
