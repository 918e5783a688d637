#include "actors/decision_maker.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "actors/switching/exploring_switcher.h"
#include "actors/switching/mlp_switcher.h"
#include "core/error.h"
#include "core/half.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/fake_switcher.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using core::BudgetGovernor;
using std::chrono::milliseconds;
using testing::FakeClock;
using testing::FakeLanguageModel;
using testing::FakeSwitcher;

FakeLanguageModel MakeLm(std::int32_t action) {
  return FakeLanguageModel([action](const core::LmRequest& request) {
    return FakeLanguageModel::Choosing(request, action);
  });
}

class DecisionMakerTest : public ::testing::Test {
 protected:
  Moment Now(std::int32_t steps_left = 10) const {
    return {.prompt = prompt_,
            .actions = actions_,
            .observation = observation_,
            .steps_left = steps_left};
  }

  const std::string prompt_ = "Goal: g\nObservation: o\nAction:";
  const std::vector<std::string> actions_ = {"left", "right", "forward"};
  const core::Observation observation_{.mission = "g", .sentences = {"o"}};
  FakeClock clock_;
  FakeLanguageModel quick_ = MakeLm(0);
  FakeLanguageModel deepthink_ = MakeLm(2);
};

TEST_F(DecisionMakerTest, QuickActsWhereTheSwitcherDoesNotActivate) {
  FakeSwitcher switcher(false);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({}, 10, 1);

  const core::Decision decision = maker.Decide(Now());

  EXPECT_EQ(decision.action(), 0);
  EXPECT_FALSE(decision.choice.activate);
  EXPECT_FALSE(decision.deepthink.has_value());
  EXPECT_EQ(deepthink_.num_calls(), 0);
  EXPECT_EQ(maker.budget().spent(), 0);
}

TEST_F(DecisionMakerTest, DeepthinkActsWhereTheSwitcherActivates) {
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 3}, 10, 1);

  const core::Decision decision = maker.Decide(Now());

  EXPECT_EQ(decision.quick.action, 0);
  ASSERT_TRUE(decision.deepthink.has_value());
  EXPECT_EQ(decision.action(), 2);
  EXPECT_FLOAT_EQ(decision.choice.behaviour_prob, 0.25f);
  EXPECT_EQ(maker.budget().remaining(), 2);
}

TEST_F(DecisionMakerTest, ALabelIsAskedForButNotFollowedAndSpendsNothing) {
  FakeSwitcher switcher([](const core::SwitcherInput&) {
    return core::SwitchChoice{.activate = false, .wants_label = true};
  });
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 3}, 10, 1);

  const core::Decision decision = maker.Decide(Now());

  ASSERT_TRUE(decision.label.has_value());
  EXPECT_EQ(decision.label->action, 2);
  EXPECT_EQ(decision.action(), 0);
  EXPECT_FALSE(decision.deepthink.has_value());
  EXPECT_EQ(maker.budget().remaining(), 3);
}

// Costs `tokens`, unless the request allows less.
FakeLanguageModel MakePricedLm(std::int64_t& tokens) {
  return FakeLanguageModel([&tokens](const core::LmRequest& request) {
    if (!request.Admits(tokens, 0)) throw core::OverBudgetError({"too dear", "", ""});
    core::Proposal proposal = FakeLanguageModel::Choosing(request, 2);
    proposal.usage.computed_tokens = tokens;
    return proposal;
  });
}

const core::BudgetMeter kTokens(core::BudgetUnit::kTokens, 20);

TEST_F(DecisionMakerTest, OfTokensAllThatIsLeftIsAllowedAndWhatWasUsedIsSpent) {
  std::int64_t tokens = 30;
  FakeLanguageModel deepthink = MakePricedLm(tokens);
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 100, .meter = kTokens}, 10, 1);

  const core::Decision decision = maker.Decide(Now());

  EXPECT_EQ(deepthink.last_request().max_tokens, 100);
  EXPECT_FALSE(quick_.last_request().is_limited());
  EXPECT_EQ(decision.action(), 2);
  EXPECT_TRUE(decision.may_activate);
  EXPECT_EQ(maker.budget().remaining(), 70);
  EXPECT_FLOAT_EQ(switcher.inputs.back().remaining, 5);  // Typical calls, when it chose.
}

TEST_F(DecisionMakerTest, ACallThatIsTooDearCostsNothingAndQuickActs) {
  std::int64_t tokens = 70;
  FakeLanguageModel deepthink = MakePricedLm(tokens);
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 100, .meter = kTokens}, 10, 1);
  ASSERT_TRUE(maker.Decide(Now()).deepthink);

  const core::Decision refused = maker.Decide(Now());

  EXPECT_TRUE(refused.refused);
  EXPECT_FALSE(refused.may_activate);
  EXPECT_FALSE(refused.choice.activate);
  EXPECT_EQ(refused.choice.behaviour_prob, 1);
  EXPECT_EQ(refused.action(), 0);
  EXPECT_EQ(maker.budget().remaining(), 30);
  tokens = 30;
  EXPECT_TRUE(maker.Decide(Now()).deepthink);  // A cheaper one is admitted later.
  EXPECT_EQ(maker.budget().remaining(), 0);
  EXPECT_FALSE(maker.Decide(Now()).refused);  // Nothing is left: not even chosen.
}

TEST_F(DecisionMakerTest, OfTimeTheWorstCaseMustBeLeftAndTheMeasuredIsSpent) {
  FakeLanguageModel deepthink([](const core::LmRequest& request) {
    core::Proposal proposal = FakeLanguageModel::Choosing(request, 2);
    proposal.usage.compute_ms = 6;
    proposal.usage.batch_size = 2;
    return proposal;
  });
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink, switcher, clock_, milliseconds(50));
  const core::BudgetMeter meter(core::BudgetUnit::kMilliseconds, 2, /*worst_call=*/10);
  maker.StartEpisode({.budget = meter.Ticks(14), .meter = meter}, 10, 1);

  EXPECT_TRUE(maker.Decide(Now()).deepthink);  // 3 of 14 ms,
  EXPECT_EQ(maker.budget().remaining(), meter.Ticks(11));
  EXPECT_TRUE(maker.Decide(Now()).deepthink);           // 3 of 11,
  const core::Decision decision = maker.Decide(Now());  // and 8 are too few for the worst case.

  EXPECT_FALSE(decision.deepthink);
  EXPECT_FALSE(decision.may_activate);
  EXPECT_FALSE(decision.choice.activate);
  EXPECT_FALSE(decision.refused);  // It was not even chosen.
  EXPECT_EQ(deepthink.num_calls(), 2);
  EXPECT_FALSE(deepthink.last_request().is_limited());
}

TEST_F(DecisionMakerTest, WithoutABudgetNothingIsLimitedInAnyUnit) {
  std::int64_t tokens = 1 << 30;
  FakeLanguageModel deepthink = MakePricedLm(tokens);
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.meter = kTokens}, 10, 1);

  EXPECT_TRUE(maker.Decide(Now()).deepthink);
  EXPECT_FALSE(deepthink.last_request().is_limited());
}

TEST_F(DecisionMakerTest, WhatACallThatFailedHasUsedIsUnknownAndCountsAsAllThatWasAllowed) {
  FakeLanguageModel deepthink([](const core::LmRequest&) -> core::Proposal {
    throw core::UnavailableError({"gone", "", ""});
  });
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 100, .meter = kTokens}, 10, 1);

  EXPECT_THROW(maker.Decide(Now()), core::UnavailableError);
  EXPECT_EQ(maker.budget().remaining(), 0);
}

TEST_F(DecisionMakerTest, BothLmsAreAskedTheSameWithADeadlineEach) {
  FakeSwitcher switcher(true);
  FakeLanguageModel slow_quick([this](const core::LmRequest& request) {
    clock_.Advance(milliseconds(7));
    return FakeLanguageModel::Choosing(request, 0);
  });
  const core::TimePoint start = clock_.Now();
  DecisionMaker maker(slow_quick, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({}, 10, 77);

  maker.Decide(Now());

  const core::LmRequest quick = slow_quick.last_request();
  const core::LmRequest deepthink = deepthink_.last_request();
  EXPECT_EQ(quick.prompt, prompt_);
  EXPECT_EQ(quick.candidates, (std::vector<std::string>{" left", " right", " forward"}));
  EXPECT_EQ(quick.terminator, "\n");
  EXPECT_EQ(quick.session, 77u);
  EXPECT_EQ(quick.deadline, start + milliseconds(50));
  EXPECT_EQ(deepthink.prompt, quick.prompt);
  EXPECT_EQ(deepthink.candidates, quick.candidates);
  EXPECT_EQ(deepthink.session, quick.session);
  EXPECT_EQ(deepthink.deadline, start + milliseconds(57));
}

TEST_F(DecisionMakerTest, TheSwitcherIsToldFeaturesCostBudgetAndStepsLeft) {
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.cost = 0.05f, .budget = 2}, 10, 1);

  const core::Decision first = maker.Decide(Now(10));
  maker.Decide(Now(9));

  ASSERT_EQ(switcher.inputs.size(), 2u);
  EXPECT_EQ(switcher.inputs[0].features, first.features);
  EXPECT_EQ(first.features.size(),
            static_cast<std::size_t>(NumFeatures(static_cast<int>(first.quick.features.size()))));
  EXPECT_FLOAT_EQ(switcher.inputs[0].cost, 0.05f);
  EXPECT_EQ(switcher.inputs[0].remaining, 2);
  EXPECT_EQ(switcher.inputs[0].steps_left, 10);
  EXPECT_EQ(switcher.inputs[1].remaining, 1);
  EXPECT_EQ(switcher.inputs[1].steps_left, 9);
}

TEST_F(DecisionMakerTest, WhatTheBudgetForbidsIsNotChosenWithCertainty) {
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 1}, 10, 1);

  EXPECT_TRUE(maker.Decide(Now()).choice.activate);
  const core::Decision masked = maker.Decide(Now());

  EXPECT_FALSE(masked.choice.activate);
  EXPECT_FLOAT_EQ(masked.choice.behaviour_prob, 1);
  EXPECT_FALSE(masked.deepthink.has_value());
  EXPECT_EQ(deepthink_.num_calls(), 1);
}

TEST_F(DecisionMakerTest, ANewEpisodeHasItsOwnBudgetAndAFreshMemory) {
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 1}, 10, 1);
  const core::Decision first = maker.Decide(Now());
  maker.Decide(Now());

  maker.StartEpisode({.budget = 2}, 10, 2);

  EXPECT_EQ(maker.budget().remaining(), 2);
  EXPECT_EQ(switcher.episodes, 2);
  EXPECT_EQ(maker.Decide(Now()).features, first.features);
}

TEST_F(DecisionMakerTest, RemembersWhatWasDoneForTheNextFeatures) {
  FakeSwitcher switcher(true);
  DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
  maker.StartEpisode({}, 10, 1);

  maker.Decide(Now());
  const std::vector<float> features = maker.Decide(Now()).features;

  const int history = static_cast<int>(Scalar::kFirstHistory);
  EXPECT_EQ(GetScalar(features, static_cast<Scalar>(history)), 1);  // Activated,
  EXPECT_EQ(GetScalar(features, static_cast<Scalar>(history + 1)),
            1);  // and it changed the action.
  EXPECT_EQ(GetScalar(features, Scalar::kStepShare), core::HalfToFloat(core::FloatToHalf(0.1f)));
}

TEST_F(DecisionMakerTest, RefusesAnswersThatDoNotFitTheQuestion) {
  const auto decide_with = [&](const std::function<void(core::Proposal&)>& damage) {
    FakeLanguageModel broken([&](const core::LmRequest& request) {
      core::Proposal proposal = FakeLanguageModel::Choosing(request, 0);
      damage(proposal);
      return proposal;
    });
    FakeSwitcher switcher(false);
    DecisionMaker maker(broken, deepthink_, switcher, clock_, milliseconds(50));
    maker.StartEpisode({}, 10, 1);
    maker.Decide(Now());
  };

  EXPECT_THROW(decide_with([](core::Proposal& p) { p.log_probs.pop_back(); }), core::ProtocolError);
  EXPECT_THROW(decide_with([](core::Proposal& p) { p.action = 3; }), core::ProtocolError);
  EXPECT_THROW(decide_with([](core::Proposal& p) { p.action = -1; }), core::ProtocolError);
  EXPECT_NO_THROW(decide_with([](core::Proposal&) {}));
}

TEST_F(DecisionMakerTest, ACallThatFailsHasSpentItsBudget) {
  FakeSwitcher switcher(true);
  FakeLanguageModel absent([](const core::LmRequest&) -> core::Proposal {
    throw core::UnavailableError({.what = "no worker"});
  });
  DecisionMaker maker(quick_, absent, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 1}, 10, 1);

  EXPECT_THROW(maker.Decide(Now()), core::UnavailableError);

  EXPECT_EQ(maker.budget().remaining(), 0);
  EXPECT_FALSE(maker.Decide(Now()).choice.activate);
}

TEST_F(DecisionMakerTest, TellsWhereTheTimeWent) {
  const auto slow = [this](milliseconds time) {
    return [this, time](const core::LmRequest& request) {
      clock_.Advance(time);
      return FakeLanguageModel::Choosing(request, 0);
    };
  };
  FakeLanguageModel quick(slow(milliseconds(2)));
  FakeLanguageModel deepthink(slow(milliseconds(30)));
  FakeSwitcher switcher([this](const core::SwitcherInput&) {
    clock_.Advance(milliseconds(1));
    return core::SwitchChoice{.activate = true};
  });
  DecisionMaker maker(quick, deepthink, switcher, clock_, milliseconds(50));
  maker.StartEpisode({.budget = 1}, 10, 1);

  maker.Decide(Now());
  maker.Decide(Now());

  EXPECT_EQ(maker.times().quick, milliseconds(4));
  EXPECT_EQ(maker.times().switcher, milliseconds(2));
  EXPECT_EQ(maker.times().deepthink, milliseconds(30));
}

// The project's promise: whatever the parameters are, the budget holds. Networks that are random,
// huge, NaN, infinite, any bits at all, or made to call always; greedy ones and exploring ones.
class BudgetTest : public DecisionMakerTest {
 protected:
  static constexpr int kSteps = 24;
  static constexpr testing::SwitcherShape kShape{.num_features = NumFeatures(4), .width = 4};

  static std::shared_ptr<core::WeightsSnapshot> DrawWeights(int kind, std::mt19937_64& random) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::normal_distribution<float> normal(0, 1);
    std::uniform_int_distribution<int> die(0, 9);
    const auto any_bits = [&] {
      return std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    };
    const auto draw = [&]() -> float {
      switch (kind) {
        case 0:
          return normal(random);
        case 1:
          return 1e30f * normal(random);
        case 2:
          return std::numeric_limits<float>::quiet_NaN();
        case 3:
          return die(random) == 0 ? std::numeric_limits<float>::quiet_NaN() : normal(random);
        case 4:
          return kInfinity;
        case 5:
          return die(random) == 0 ? (die(random) < 5 ? kInfinity : -kInfinity) : normal(random);
        case 6:
          return any_bits();
        default:
          return normal(random);
      }
    };
    auto weights = testing::MakeSwitcherWeights(kShape, draw);
    if (kind >= 7) {  // Adversarial: wants to call at every step, whatever it costs.
      for (float& value : testing::FindArray(*weights, "return.gain.weight").values) value = 0;
      for (float& value : testing::FindArray(*weights, "calls.gain.weight").values) value = 0;
      testing::FindArray(*weights, "return.gain.bias").values = {kind == 7 ? 1e30f : kInfinity};
      testing::FindArray(*weights, "calls.gain.bias").values = {0};
    }
    return weights;
  }

  // DEEPTHINK's calls in one episode, as it counts them itself.
  std::int64_t CountCalls(core::Switcher& switcher, EpisodeTerms terms) {
    FakeLanguageModel quick("0000000000000001"), deepthink("0000000000000002");
    DecisionMaker maker(quick, deepthink, switcher, clock_, milliseconds(50));
    maker.StartEpisode(terms, kSteps, 1);
    for (int step = 0; step < kSteps; ++step) {
      const bool may_activate = maker.budget().CanReserve();
      const core::Decision decision = maker.Decide(Now(kSteps - step));
      EXPECT_EQ(decision.choice.activate, decision.deepthink.has_value());
      EXPECT_GT(decision.choice.behaviour_prob, 0);
      if (!may_activate) {
        EXPECT_FALSE(decision.choice.activate);
        EXPECT_EQ(decision.choice.behaviour_prob, 1);
      }
    }
    EXPECT_EQ(deepthink.num_calls(), maker.budget().spent());
    return deepthink.num_calls();
  }
};

TEST_F(BudgetTest, NoParameterVectorExceedsIt) {
  std::mt19937_64 random(20241);
  constexpr std::int32_t kBudgets[] = {0, 1, 2, 3, 5, 8, 13, kSteps - 1};
  std::int64_t adversarial_calls = 0, adversarial_budget = 0;
  for (int trial = 0; trial < 270; ++trial) {
    const int kind = trial % 9;
    const auto weights = DrawWeights(kind, random);
    const std::int32_t budget = kBudgets[random() % std::size(kBudgets)];
    const EpisodeTerms terms{.cost = trial % 2 == 0 ? 0.0f : 0.1f, .budget = budget};
    MlpSwitcher greedy;
    greedy.Load(weights);
    ExploringSwitcher exploring(
        std::make_unique<MlpSwitcher>(),
        {.always_quick = 0, .always_deepthink = 0.4, .random_rate = 0.2, .takeover = 0.2},
        0.4,
        random());
    exploring.Load(weights);

    const std::int64_t greedy_calls = CountCalls(greedy, terms);
    const std::int64_t exploring_calls = CountCalls(exploring, terms);

    ASSERT_LE(greedy_calls, budget) << "kind " << kind << ", trial " << trial;
    ASSERT_LE(exploring_calls, budget) << "kind " << kind << ", trial " << trial;
    if (kind == 7) {
      adversarial_calls += greedy_calls;
      adversarial_budget += budget;
    }
  }
  EXPECT_EQ(adversarial_calls, adversarial_budget);  // It did try.
}

TEST_F(BudgetTest, ANaNNeverCallsAndUnlimitedIsUnlimited) {
  std::mt19937_64 random(7);
  MlpSwitcher not_a_number, adversarial;
  not_a_number.Load(DrawWeights(2, random));
  adversarial.Load(DrawWeights(7, random));

  EXPECT_EQ(CountCalls(not_a_number, {}), 0);
  EXPECT_EQ(CountCalls(adversarial, {.budget = BudgetGovernor::kUnlimited}), kSteps);
  EXPECT_EQ(CountCalls(adversarial, {.budget = std::numeric_limits<std::int32_t>::max()}), kSteps);
}

TEST_F(BudgetTest, AForcedRepeatThatTheBudgetEndsIsMaskedToo) {
  FakeSwitcher holding([](const core::SwitcherInput&) {
    return core::SwitchChoice{.activate = true, .behaviour_prob = 1};  // Held: mu = 1.
  });

  EXPECT_EQ(CountCalls(holding, {.budget = 4}), 4);
}

}  // namespace
}  // namespace londi::actors
