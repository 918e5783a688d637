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

// All that a test decides. Under a sanitizer a decision takes ten times as long, and races and
// wild pointers show in far fewer of them.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::int64_t kDecisions = 100'000;
#else
constexpr std::int64_t kDecisions = 1'000'000;
#endif

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

// Takes a number of rows, follows each episode's budget from one to the next, and counts those that
// broke a rule.
class BookkeepingSink final : public transport::TransitionSink {
 public:
  // With calls a call is legal wherever something is left; in other units it may be refused there.
  BookkeepingSink(std::int64_t rows, core::BudgetUnit unit)
      : left_(rows), may_be_refused_(unit != core::BudgetUnit::kCalls) {}

  bool Push(core::Transition row) override {
    if (left_-- <= 0) return false;
    ++num_rows_;
    num_activated_ += row.activated;
    const auto before = last_.find(row.episode.value);
    if (row.step > 0 && before != last_.end()) num_wrong_ += row.remaining != before->second;
    const std::int32_t spent = row.activated ? row.price : 0;
    num_wrong_ += row.remaining < 0 || spent > row.remaining;
    num_wrong_ += row.activated && !row.may_activate;
    num_wrong_ += row.may_activate && row.remaining == 0;
    num_wrong_ += !may_be_refused_ && !row.may_activate && row.remaining != 0;
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
  const bool may_be_refused_;
  std::int64_t num_rows_ = 0, num_activated_ = 0, num_wrong_ = 0;
  std::map<std::int64_t, std::int32_t> last_;  // What an episode has left, by its id.
};

// What the sink saw, and what the actor says of itself.
struct Acted {
  std::int64_t decisions = 0, activated_rows = 0, wrong_rows = 0;
  ActorProgress progress;
};

// Acts under budgets on `threads` threads, a tenth of the episodes exploring.
Acted Act(const std::string& kind,
          std::shared_ptr<const core::WeightsSnapshot> weights,
          TermsOptions terms,
          core::LanguageModel& deepthink,
          std::int64_t rows,
          int threads = 4) {
  testing::ProblemLm quick(core::Tier::kQuick);
  BookkeepingSink sink(rows, terms.budget_unit);
  transport::InProcessWeightsChannel channel;
  if (weights != nullptr) channel.Publish(std::move(weights));
  monitor::Metrics metrics;
  const core::SystemClock clock;
  ActorOptions options;
  options.episodes = threads;
  options.switcher.kind = kind;
  options.terms = terms;
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
  return {.decisions = sink.num_rows(),
          .activated_rows = sink.num_activated(),
          .wrong_rows = sink.num_wrong(),
          .progress = loop.progress()};
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
  constexpr std::int64_t kRows = kDecisions / 10;
  std::int64_t decisions = 0;
  const auto expect_no_call = [&](const std::string& what,
                                  const std::string& kind,
                                  std::shared_ptr<const core::WeightsSnapshot> weights) {
    SCOPED_TRACE(what);
    CountedLm deepthink(core::Tier::kDeepthink);
    const Acted acted = Act(kind, std::move(weights), {.max_budget = 0}, deepthink, kRows);
    EXPECT_EQ(acted.decisions, kRows);
    EXPECT_EQ(deepthink.num_calls(), 0);
    EXPECT_EQ(acted.activated_rows, 0);
    EXPECT_EQ(acted.wrong_rows, 0);
    decisions += acted.decisions;
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
  EXPECT_GE(decisions, kDecisions);
}

TEST(BudgetGuarantee, NoEpisodeOfManyAtOnceExceedsItsBudget) {
  const std::vector<std::shared_ptr<const core::WeightsSnapshot>> parameters{
      Adversarial(), testing::MakeRandomSwitcherWeights(kShape, 4)};
  for (const auto& weights : parameters) {
    CountedLm deepthink(core::Tier::kDeepthink);
    const Acted acted = Act("mlp", weights, {.max_budget = 3}, deepthink, kDecisions / 20);
    EXPECT_GT(acted.activated_rows, 0);
    // Threads that the closing sink stopped had called once more at most.
    EXPECT_LE(deepthink.num_calls(), acted.activated_rows + 4);
    EXPECT_EQ(acted.wrong_rows, 0);
    EXPECT_EQ(acted.progress.budget_violations, 0);
  }
}

// In all units but calls.
TEST(BudgetGuarantee, NoEpisodeSpendsMoreThanItsBudgetInAnyUnitWhateverTheParametersAndPrices) {
  constexpr std::int64_t kRows = kDecisions / 24 + 1;
  std::int64_t decisions = 0;
  const std::vector<std::shared_ptr<const core::WeightsSnapshot>> parameters{
      Adversarial(),
      Filled(kInfinity),
      Filled(kNan),
      testing::MakeRandomSwitcherWeights(kShape, 4)};
  constexpr TermsOptions kUnits[] = {
      {.max_budget = 4, .budget_unit = core::BudgetUnit::kTokens, .call_price = 30},
      {.max_budget = 4, .budget_unit = core::BudgetUnit::kGflops, .call_price = 0.03},
      {.max_budget = 4,
       .budget_unit = core::BudgetUnit::kMilliseconds,
       .call_price = 30,
       .worst_call = PricedLm::kWorstMs}};
  for (const TermsOptions& unit : kUnits) {
    for (const bool dear : {false, true}) {
      for (const auto& weights : parameters) {
        PricedLm deepthink(dear);

        const Acted acted = Act("mlp", weights, unit, deepthink, kRows);

        EXPECT_EQ(acted.decisions, kRows);
        EXPECT_GT(acted.activated_rows, 0);  // Episodes that explore call, whatever the network.
        EXPECT_EQ(acted.wrong_rows, 0);
        EXPECT_EQ(acted.progress.budget_violations, 0);
        EXPECT_EQ(acted.progress.overrun_calls, 0);
        if (!dear && unit.worst_call == 0) {
          EXPECT_GT(acted.progress.refused_calls, 0);
        }
        EXPECT_GE(deepthink.num_refused(), acted.progress.refused_calls);
        decisions += acted.decisions;
      }
    }
  }
  EXPECT_GE(decisions, kDecisions);
}

// What the guarantee in milliseconds stands on.
TEST(BudgetGuarantee, AWorstCaseThatIsNoneIsCountedAndSoIsTheBudgetThatItBroke) {
  PricedLm deepthink(/*dear=*/true);

  const Acted acted = Act("always",
                          nullptr,
                          {.max_budget = 4,
                           .budget_unit = core::BudgetUnit::kMilliseconds,
                           .call_price = 30,
                           .worst_call = 31},
                          deepthink,
                          5'000,
                          /*threads=*/1);

  EXPECT_GE(acted.progress.overrun_calls, acted.activated_rows);
  EXPECT_GT(acted.progress.budget_violations, 0);
  EXPECT_GT(acted.wrong_rows, 0);  // The rows show it, too (launch/run_invariants.h).
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
