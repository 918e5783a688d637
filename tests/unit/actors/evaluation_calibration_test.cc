#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "actors/evaluation.h"
#include "actors/seeds.h"
#include "actors/switcher_features.h"
#include "tests/support/switcher_weights.h"
#include "tests/unit/actors/evaluator_fixture.h"

namespace londi::actors {
namespace {

// CountingLm's words: four plain ones, then riddles. The first right answer to a riddle ends the
// episode; else it goes on for 40 steps.
class Gate final : public core::Environment {
 public:
  core::Observation Reset(std::uint64_t) override {
    step_ = 0;
    return See();
  }
  core::StepResult Step(std::string_view action) override {
    const bool opened = IsRiddle() && action == "left";
    ++step_;
    return {.observation = See(),
            .reward = opened ? 1.0 : 0.0,
            .terminated = opened,
            .truncated = !opened && step_ == MaxSteps()};
  }
  std::vector<std::string> AdmissibleActions() const override { return {"left", "right"}; }
  int MaxSteps() const override { return 40; }
  std::string Kind() const override { return "gate"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  bool IsRiddle() const { return step_ >= 4; }
  core::Observation See() const {
    return {.mission = "open", .sentences = {IsRiddle() ? "riddle left" : "plain left"}};
  }
  int step_ = 0;
};

class EvaluationCalibration : public EvaluatorTest {};

TEST_F(EvaluationCalibration, CalibrationHitsTheWantedRateOnSeedsOfItsOwn) {
  Evaluator evaluator(Episodes(50), CorridorParts());
  for (const std::string kind : {"entropy", "margin", "sequence-prob"}) {
    for (const double wanted : {0.1, 0.5}) {
      seeds_.times.clear();
      const EvaluationCell cell = evaluator.Calibrate(
          RuleCell({.kind = kind}), *FindKnob(kind), wanted, {.episodes = 60, .tries = 9});
      for (const auto& [seed, times] : seeds_.times) {
        EXPECT_GE(seed, kFirstCalibrationSeed);
        EXPECT_LT(seed, kFirstCalibrationSeed + 60);
      }

      const CellSummary unseen = Summarize(evaluator.Run({cell}).front());

      EXPECT_NEAR(unseen.call_share, wanted, 0.06) << kind;  // 500 other steps: 3 standard errors.
      EXPECT_LT(seeds_.times.begin()->first, 50u);
    }
  }
}

TEST_F(EvaluationCalibration, CalibrationEndsWithTheTryThatMakesTheWantedCalls) {
  Evaluator evaluator(Episodes(20), CorridorParts());
  const EvaluationCell cell = evaluator.Calibrate(
      RuleCell({.kind = "first"}), *FindKnob("first"), 0.3, {.episodes = 5, .tries = 30});

  ASSERT_EQ(seeds_.times.size(), 5u);
  for (const auto& [seed, tries] : seeds_.times) EXPECT_LT(tries, 10) << seed;
  EXPECT_EQ(Summarize(evaluator.Run({cell}).front()).calls, 3);  // Of ten steps.
}

TEST_F(EvaluationCalibration, CalibrationComesAsCloseAsARuleOfWholeStepsCan) {
  Evaluator evaluator(Episodes(20), CorridorParts());
  for (const std::string kind : {"first", "last"}) {
    const EvaluationCell cell = evaluator.Calibrate(
        RuleCell({.kind = kind}), *FindKnob(kind), 0.32, {.episodes = 5, .tries = 10});

    EXPECT_EQ(Summarize(evaluator.Run({cell}).front()).calls, 3) << kind;  // Of ten steps.
  }
}

TEST_F(EvaluationCalibration, BaselinesCallAsOftenAsTheCellTheyAreComparedWith) {
  const auto weights = testing::MakeRandomSwitcherWeights(
      {.num_features = NumFeatures(4), .disagreement_width = 32}, 3);
  Evaluator::Parts parts = CorridorParts();
  parts.weights = weights;
  Evaluator evaluator(Episodes(200), parts);
  std::vector<std::string> kinds = BaselineKinds();
  std::erase(kinds, "swift-sage");  // Has no knob.

  for (const EvaluationCell& cell : {RuleCell({.kind = "entropy", .threshold = 0.7}),
                                     RuleCell({.kind = "entropy", .threshold = 0.7}, 4)}) {
    std::vector<EvaluationCell> cells =
        evaluator.MatchedBaselines(kinds, cell, {.episodes = 60, .tries = 12});
    ASSERT_EQ(cells.size(), kinds.size());
    cells.push_back(cell);

    const auto results = evaluator.Run(cells);

    const double share = Summarize(results.back()).call_share;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      EXPECT_EQ(results[i].cell.name, kinds[i]);
      EXPECT_EQ(results[i].cell.terms.budget, cell.terms.budget);
      EXPECT_EQ(Summarize(results[i]).budget_violations, 0);
      EXPECT_NEAR(Summarize(results[i]).call_share, share, 0.06) << kinds[i];
    }
  }
}

// Who calls at the riddle needs one call in 5 steps; who calls at once spends both in 40.
TEST_F(EvaluationCalibration, UnderABudgetCallsCountPerEpisodeBecauseWastedOnesMakeEpisodesLonger) {
  Evaluator::Parts parts = CountingParts();
  parts.make_environment = [] { return std::make_unique<Gate>(); };
  Evaluator evaluator(Episodes(4), parts);
  const EvaluationCell at_riddles = RuleCell({.kind = "entropy", .threshold = 0.4}, 2);
  const EvaluationCell at_once = RuleCell({.kind = "entropy", .threshold = 0}, 2);
  const auto known = evaluator.Run({at_riddles, at_once});
  ASSERT_DOUBLE_EQ(Summarize(known[0]).calls, 1);
  ASSERT_GT(Summarize(known[0]).call_share, Summarize(known[1]).call_share);

  const auto cells =
      evaluator.MatchedBaselines({"entropy"}, at_riddles, {.episodes = 2, .tries = 10});

  const CellSummary matched = Summarize(evaluator.Run(cells).front());
  EXPECT_DOUBLE_EQ(matched.calls, 1);
  EXPECT_DOUBLE_EQ(matched.success, 1);
}

// Its gain depends on QUICK alone, hidden state and what that says about its proposal, which a hash
// of the prompt makes; its bill of a call is that call: it calls where the gain is above the cost.
std::shared_ptr<core::WeightsSnapshot> MakeThrifty() {
  auto weights = testing::MakeRandomSwitcherWeights(
      {.num_features = NumFeatures(4), .disagreement_width = 0}, 3);
  for (const char* name : {"calls.gain.weight", "calls.gain.bias"})
    std::ranges::fill(testing::FindArray(*weights, name).values, 0.0f);
  auto& inputs = testing::FindArray(*weights, "trunk.0.weight");
  const auto width = static_cast<std::size_t>(inputs.shape[1]);
  constexpr std::size_t kHidden = 4, kFirstScalar = kHidden + kNumTextBuckets;
  for (std::size_t i = 0; i < inputs.values.size(); ++i) {
    const std::size_t input = i % width;
    const bool is_quick = input < kHidden || (input >= kFirstScalar && input < kFirstScalar + 8);
    if (!is_quick) inputs.values[i] = 0;
  }
  for (float& weight : testing::FindArray(*weights, "return.gain.weight").values) weight *= 0.05f;
  testing::FindArray(*weights, "return.gain.bias").values = {0.05f};
  return weights;
}

TEST_F(EvaluationCalibration, AnAverageBudgetIsKeptOnOtherSeedsThanThoseItsCostWasFoundOn) {
  Evaluator::Parts parts = CorridorParts();
  parts.weights = MakeThrifty();
  Evaluator evaluator(Episodes(300), parts);
  const auto at = evaluator.Run({SwitcherCell(1e-3), SwitcherCell(0.3)});
  ASSERT_GT(Summarize(at[0]).calls, 5.5);
  ASSERT_LT(Summarize(at[1]).calls, 1.5);

  for (const double wanted : {2.0, 5.0}) {
    seeds_.times.clear();
    const EvaluationCell cell = evaluator.AtAverageCalls(wanted, {}, {.episodes = 200});
    EXPECT_EQ(seeds_.times.begin()->first, kFirstCalibrationSeed);
    EXPECT_EQ(seeds_.times.size(), 200u);

    const CellSummary unseen = Summarize(evaluator.Run({cell}).front());

    ASSERT_TRUE(cell.average);
    EXPECT_EQ(cell.name, "switcher-average");
    EXPECT_EQ(cell.average->outcome, CostOutcome::kReached);
    EXPECT_NEAR(cell.average->found.calls, wanted, 0.02 * wanted);
    EXPECT_FLOAT_EQ(cell.terms.cost, static_cast<float>(cell.average->found.cost));
    EXPECT_NEAR(unseen.calls, wanted, 0.3);  // 3 standard errors of a mean of 300.
    EXPECT_EQ(cell.terms.budget, core::BudgetGovernor::kUnlimited);
  }
}

TEST_F(EvaluationCalibration, AnAverageBudgetOutsideTheTrainedCostsIsSaidToBe) {
  Evaluator::Parts parts = CorridorParts();
  parts.weights = MakeThrifty();
  Evaluator evaluator(Episodes(5), parts);

  const EvaluationCell cell =
      evaluator.AtAverageCalls(9.99, {.min_cost = 0.05, .max_cost = 0.3}, {.episodes = 20});

  EXPECT_EQ(cell.average->outcome, CostOutcome::kTooFew);
  EXPECT_LT(cell.average->found.calls, 9);
  EXPECT_GE(cell.terms.cost, 0.05f);
}

TEST_F(EvaluationCalibration, AStopEndsTheSearchForAnAverageBudget) {
  Evaluator::Parts parts = CorridorParts();
  parts.weights = MakeThrifty();
  Evaluator evaluator(Episodes(5), parts);
  evaluator.RequestStop();

  const EvaluationCell cell = evaluator.AtAverageCalls(2, {}, {.episodes = 20});

  EXPECT_EQ(cell.average->outcome, CostOutcome::kSearching);
  EXPECT_TRUE(seeds_.times.empty());
}

TEST_F(EvaluationCalibration, ABaselineWithoutAKnobComesAsItIs) {
  Evaluator evaluator(Episodes(5), CorridorParts());

  const auto cells = evaluator.MatchedBaselines(
      {"swift-sage"}, RuleCell({.kind = "random", .rate = 0.9}, 2), {.episodes = 5});

  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].name, "swift-sage");
  EXPECT_EQ(cells[0].terms.budget, 2);
}

}  // namespace
}  // namespace londi::actors
