// The budget holds for every parameter vector (algorithms.md 5, VP9): actors with random, extreme
// and broken Switchers, many threads at once, more than a million decisions in all.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "actors/actor_loop.h"
#include "actors/envs/make_environment.h"
#include "tests/support/problem_lms.h"
#include "tests/support/switcher_weights.h"
#include "transport/in_process.h"

namespace londi::actors {
namespace {

// Counts what it is asked.
class CountedLm final : public core::LanguageModel {
 public:
  explicit CountedLm(core::Tier tier) : lm_(tier) {}
  core::Proposal Propose(const core::LmRequest& request) override {
    ++num_calls_;
    return lm_.Propose(request);
  }
  std::int64_t num_calls() const { return num_calls_; }

 private:
  testing::ProblemLm lm_;
  std::atomic<std::int64_t> num_calls_ = 0;
};

// Takes a number of rows and looks for one that broke the rules.
class CheckingSink final : public transport::TransitionSink {
 public:
  explicit CheckingSink(std::int64_t rows) : left_(rows) {}

  bool Push(core::Transition row) override {
    if (left_-- <= 0) return false;
    ++num_rows_;
    num_activated_ += row.activated;
    num_illegal_ += row.activated && row.remaining == 0;
    num_illegal_ += row.may_activate != (row.remaining != 0);
    return true;
  }
  void StartDraining() override {}
  bool Drain(core::TimePoint) override { return true; }
  transport::SinkStatus status() const override { return {}; }
  void Close() override {}

  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t num_activated() const { return num_activated_; }
  std::int64_t num_illegal() const { return num_illegal_; }

 private:
  std::int64_t left_;  // The writer pushes under its lock, so do all counters below.
  std::int64_t num_rows_ = 0, num_activated_ = 0, num_illegal_ = 0;
};

// Everything counted by the LMs and the sink, apart from the governor.
struct Counted {
  std::int64_t decisions = 0, deepthink_calls = 0, activated_rows = 0, illegal_rows = 0;
  std::int64_t violations = 0;  // Episodes with more calls than their budget.
};

// Four threads that act under budgets of 0..max_budget, a tenth of the episodes exploring.
Counted Act(const std::string& kind,
            std::shared_ptr<const core::WeightsSnapshot> weights,
            std::int32_t max_budget,
            std::int64_t rows) {
  CountedLm quick(core::Tier::kQuick), deepthink(core::Tier::kDeepthink);
  CheckingSink sink(rows);
  transport::InProcessWeightsChannel channel;
  if (weights != nullptr) channel.Publish(std::move(weights));
  monitor::Metrics metrics;
  const core::SystemClock clock;
  ActorOptions options;
  options.episodes = 4;
  options.switcher.kind = kind;
  options.terms = {.max_budget = max_budget, .unlimited = 0};
  ActorLoop loop(options,
                 {},
                 {.make_environment = [] { return MakeEnvironment("problems/assignment"); },
                  .quick = quick,
                  .deepthink = deepthink,
                  .sink = sink,
                  .weights = channel,
                  .metrics = metrics,
                  .logger = monitor::MakeNullLogger(),
                  .clock = clock});
  loop.Run();
  return {.decisions = sink.num_rows(),
          .deepthink_calls = deepthink.num_calls(),
          .activated_rows = sink.num_activated(),
          .illegal_rows = sink.num_illegal(),
          .violations = loop.progress().budget_violations};
}

const testing::SwitcherShape kShape{.num_features = NumFeatures(11)};

std::shared_ptr<const core::WeightsSnapshot> Filled(float value) {
  return testing::MakeSwitcherWeights(kShape, [value] { return value; });
}

// A = +1e9, whatever is seen.
std::shared_ptr<const core::WeightsSnapshot> Adversarial() {
  auto weights = testing::MakeSwitcherWeights(kShape, [] { return 0.0f; });
  testing::FindArray(*weights, "return.gain.bias").values[0] = 1e9f;
  return weights;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(BudgetGuarantee, NothingIsEverCalledWithoutABudgetWhateverTheParameters) {
  constexpr std::int64_t kRows = 130'000;
  std::int64_t decisions = 0;
  const auto expect_no_call = [&](const std::string& what,
                                  const std::string& kind,
                                  std::shared_ptr<const core::WeightsSnapshot> weights) {
    SCOPED_TRACE(what);
    const Counted counted = Act(kind, std::move(weights), /*max_budget=*/0, kRows);
    EXPECT_EQ(counted.decisions, kRows);
    EXPECT_EQ(counted.deepthink_calls, 0);
    EXPECT_EQ(counted.activated_rows, 0);
    EXPECT_EQ(counted.illegal_rows, 0);
    decisions += counted.decisions;
  };
  for (const std::uint64_t seed : {1, 2, 3}) {
    expect_no_call(
        "random " + std::to_string(seed), "mlp", testing::MakeRandomSwitcherWeights(kShape, seed));
  }
  expect_no_call("adversarial", "mlp", Adversarial());
  expect_no_call("NaN", "mlp", Filled(kNan));
  expect_no_call("infinite", "mlp", Filled(kInfinity));
  expect_no_call("policy", "mlp", testing::MakePolicyWeights(kShape, [] { return 1e9f; }));
  expect_no_call("NaN policy", "mlp", testing::MakePolicyWeights(kShape, [] { return kNan; }));
  expect_no_call("no weights", "mlp", nullptr);
  expect_no_call("always", "always", nullptr);
  EXPECT_GE(decisions, 1'000'000);
}

TEST(BudgetGuarantee, NoEpisodeOfManyAtOnceExceedsItsBudget) {
  const std::vector<std::shared_ptr<const core::WeightsSnapshot>> parameters{
      Adversarial(), testing::MakeRandomSwitcherWeights(kShape, 4)};
  for (const auto& weights : parameters) {
    const Counted counted = Act("mlp", weights, /*max_budget=*/3, 50'000);
    EXPECT_GT(counted.activated_rows, 0);
    // Threads that the closing sink stopped had called once more at most.
    EXPECT_LE(counted.deepthink_calls, counted.activated_rows + 4);
    EXPECT_EQ(counted.illegal_rows, 0);
    EXPECT_EQ(counted.violations, 0);
  }
}

void ExpectNoCall(std::shared_ptr<const core::WeightsSnapshot> weights) {
  const auto switcher = MakeSwitcher({.kind = "mlp"}, 1);
  switcher->Load(std::move(weights));
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 1000; ++i) {
    std::vector<float> features(static_cast<std::size_t>(kShape.num_features));
    for (float& feature : features) feature = normal(random);
    EXPECT_FALSE(
        switcher->Choose({.features = features, .remaining = 3, .steps_left = 5}).activate);
  }
}

TEST(BudgetGuarantee, BrokenParametersCallNobodyEvenWhereABudgetIsLeft) {
  ExpectNoCall(Filled(kNan));
  ExpectNoCall(testing::MakePolicyWeights(kShape, [] { return kNan; }));
}

}  // namespace
}  // namespace londi::actors
