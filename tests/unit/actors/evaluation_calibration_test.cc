#include <gtest/gtest.h>

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
