// The budget holds for every parameter vector (algorithms.md 5, VP9): actors with random, extreme
// and broken Switchers, many threads at once, more than a million decisions in all.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "actors/actor_loop.h"
#include "actors/envs/make_environment.h"
#include "actors/random.h"
#include "core/error.h"
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

// Costs what a hash of the request says, and holds to its limits as a worker does. A dear one costs
// whatever it is allowed to.
class PricedLm final : public core::LanguageModel {
 public:
  static constexpr double kWorstMs = 60;
  explicit PricedLm(bool dear) : lm_(core::Tier::kDeepthink), dear_(dear) {}
  core::Proposal Propose(const core::LmRequest& request) override {
    core::Proposal proposal = lm_.Propose(request);
    const std::uint64_t hash = MixWords({std::hash<std::string>{}(request.prompt)});
    proposal.usage.computed_tokens = 1 + static_cast<std::int64_t>(hash % 60);
    proposal.usage.flops = 1e6 * static_cast<double>(1 + hash % 60) + 0.5;
    proposal.usage.compute_ms = dear_ ? kWorstMs : static_cast<double>(1 + hash % 60);
    if (dear_ && request.max_tokens != core::LmRequest::kNoLimit)
      proposal.usage.computed_tokens = request.max_tokens;
    if (dear_ && request.max_flops != core::LmRequest::kNoLimit)
      proposal.usage.flops = static_cast<double>(request.max_flops);
    if (!request.Admits(proposal.usage.computed_tokens, proposal.usage.flops)) {
      ++num_refused_;
      throw core::OverBudgetError({"too dear", "", ""});
    }
    return proposal;
  }
  std::int64_t num_refused() const { return num_refused_; }

 private:
  testing::ProblemLm lm_;
  const bool dear_;
  std::atomic<std::int64_t> num_refused_ = 0;
};

// Follows each episode's budget from row to row.
class BookkeepingSink final : public transport::TransitionSink {
 public:
  explicit BookkeepingSink(std::int64_t rows) : left_(rows) {}

  bool Push(core::Transition row) override {
    if (left_-- <= 0) return false;
    ++num_rows_;
    num_activated_ += row.activated;
    const auto before = last_.find(row.episode.value);
    if (row.step > 0 && before != last_.end()) num_wrong_ += row.remaining != before->second;
    const std::int32_t spent = row.activated ? row.price : 0;
    num_wrong_ += row.remaining < 0 || spent > row.remaining;
    num_wrong_ += row.activated && !row.may_activate;
    last_[row.episode.value] = row.remaining - spent;
    if (row.done()) last_.erase(row.episode.value);
    return true;
  }
  void StartDraining() override {}
  bool Drain(core::TimePoint) override { return true; }
  transport::SinkStatus status() const override { return {}; }
  void Close() override {}

  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t num_activated() const { return num_activated_; }
  std::int64_t num_wrong() const { return num_wrong_; }

 private:
  std::int64_t left_;  // The writer pushes under its lock, so do all counters below.
  std::int64_t num_rows_ = 0, num_activated_ = 0, num_wrong_ = 0;
  std::map<std::int64_t, std::int32_t> last_;  // What an episode has left, by its id.
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

// In all units but calls, for more than a million decisions.
TEST(BudgetGuarantee, NoEpisodeSpendsMoreThanItsBudgetInAnyUnitWhateverTheParametersAndPrices) {
  constexpr std::int64_t kRows = 43'000;
  std::int64_t decisions = 0;
  const std::vector<std::shared_ptr<const core::WeightsSnapshot>> parameters{
      Adversarial(),
      Filled(kInfinity),
      Filled(kNan),
      testing::MakeRandomSwitcherWeights(kShape, 4)};
  constexpr TermsOptions kUnits[] = {{.budget_unit = core::BudgetUnit::kTokens, .call_price = 30},
                                     {.budget_unit = core::BudgetUnit::kGflops, .call_price = 0.03},
                                     {.budget_unit = core::BudgetUnit::kMilliseconds,
                                      .call_price = 30,
                                      .worst_call = PricedLm::kWorstMs}};
  for (const TermsOptions& unit : kUnits) {
    for (const bool dear : {false, true}) {
      for (const auto& weights : parameters) {
        CountedLm quick(core::Tier::kQuick);
        PricedLm deepthink(dear);
        BookkeepingSink sink(kRows);
        transport::InProcessWeightsChannel channel;
        channel.Publish(weights);
        monitor::Metrics metrics;
        const core::SystemClock clock;
        ActorOptions options;
        options.episodes = 4;
        options.switcher.kind = "mlp";
        options.terms = unit;
        options.terms.max_budget = 4;
        options.terms.unlimited = 0;
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

        EXPECT_EQ(sink.num_rows(), kRows);
        EXPECT_GT(sink.num_activated(), 0);  // Episodes that explore call, whatever the network.
        EXPECT_EQ(sink.num_wrong(), 0);
        EXPECT_EQ(loop.progress().budget_violations, 0);
        EXPECT_EQ(loop.progress().overrun_calls, 0);
        if (!dear && unit.worst_call == 0) {
          EXPECT_GT(loop.progress().refused_calls, 0);
        }
        EXPECT_GE(deepthink.num_refused(), loop.progress().refused_calls);
        decisions += sink.num_rows();
      }
    }
  }
  EXPECT_GE(decisions, 1'000'000);
}

// What the guarantee in milliseconds stands on.
TEST(BudgetGuarantee, AWorstCaseThatIsNoneIsCountedAndSoIsTheBudgetThatItBroke) {
  CountedLm quick(core::Tier::kQuick);
  PricedLm deepthink(/*dear=*/true);
  BookkeepingSink sink(5'000);
  transport::InProcessWeightsChannel channel;
  monitor::Metrics metrics;
  const core::SystemClock clock;
  ActorOptions options;
  options.episodes = 1;
  options.switcher.kind = "always";
  options.terms = {.max_budget = 4,
                   .unlimited = 0,
                   .budget_unit = core::BudgetUnit::kMilliseconds,
                   .call_price = 30,
                   .worst_call = 31};
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

  EXPECT_GE(loop.progress().overrun_calls, sink.num_activated());
  EXPECT_GT(loop.progress().budget_violations, 0);
  EXPECT_GT(sink.num_wrong(), 0);  // The rows show it, too (launch/run_invariants.h).
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
