#include "learner/replay/nstep.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace londi::learner {
namespace {

std::vector<Horizon> Horizons(const std::vector<WindowStep>& window, double gamma) {
  std::vector<Horizon> out(kMaxSteps);
  out.resize(static_cast<std::size_t>(MakeHorizons(window, gamma, out)));
  return out;
}

TEST(MakeHorizons, SumsRewardsAndActivationsDiscountedAndCountsWhatTheBudgetLoses) {
  const auto horizons = Horizons(
      {{.reward = 1, .activated = true}, {.reward = 2}, {.reward = 4, .activated = true}}, 0.5);

  ASSERT_EQ(horizons.size(), 3u);
  EXPECT_FLOAT_EQ(horizons[0].reward, 1);
  EXPECT_FLOAT_EQ(horizons[0].calls, 1);
  EXPECT_FLOAT_EQ(horizons[0].discount, 0.5);
  EXPECT_FLOAT_EQ(horizons[2].reward, 1 + 0.5f * 2 + 0.25f * 4);
  EXPECT_FLOAT_EQ(horizons[2].calls, 1.25);
  EXPECT_EQ(horizons[2].spent, 2);
  EXPECT_FLOAT_EQ(horizons[2].discount, 0.125);
}

// With less than 50 left no call is made.
TEST(MakeHorizons, SayWhatMustBeLeftForEachCallToBeAdmittedInItsTurn) {
  const auto horizons = Horizons({{.price = 30, .least = 50},
                                  {.activated = true, .price = 30, .least = 50},
                                  {.activated = true, .price = 10, .least = 50},
                                  {.activated = true, .price = 70, .least = 50}},
                                 1);

  const std::int32_t needed[] = {0, 50, 80, 110};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(horizons[i].needed, needed[i]) << i;
  EXPECT_EQ(horizons[3].spent, 110);
}

TEST(MakeHorizons, EndsAtATerminalRow) {
  const auto horizons =
      Horizons({{.reward = 0}, {.reward = 1, .terminal = true}, {.reward = 9}}, 1);

  ASSERT_EQ(horizons.size(), 2u);
  EXPECT_FALSE(horizons[0].terminal);
  EXPECT_TRUE(horizons[1].terminal);
  EXPECT_FLOAT_EQ(horizons[1].reward, 1);
}

TEST(ChooseHorizon, FollowsAsLongAsTheBehaviourWasGreedy) {
  const auto horizons = Horizons({{}, {}, {}}, 1);

  EXPECT_EQ(ChooseHorizon(horizons, std::array<std::uint8_t, 3>{0, 1, 1}), 0);
  EXPECT_EQ(ChooseHorizon(horizons, std::array<std::uint8_t, 3>{1, 0, 1}), 1);
  EXPECT_EQ(ChooseHorizon(horizons, std::array<std::uint8_t, 3>{1, 1, 0}), 2);
  EXPECT_EQ(ChooseHorizon(horizons, std::array<std::uint8_t, 3>{1, 1, 1}), 2);
}

TEST(ChooseHorizon, StopsAtATerminalRowWhateverIsBehind) {
  const auto horizons = Horizons({{}, {.terminal = true}}, 1);

  EXPECT_EQ(ChooseHorizon(horizons, std::array<std::uint8_t, 2>{1, 1}), 1);
}

TEST(RetraceTrace, IsHowFarThePolicyWouldHaveDoneTheSame) {
  EXPECT_FLOAT_EQ(RetraceTrace(0.5, 0.2f, 0.8f), 0.5f * 0.25f);
  EXPECT_FLOAT_EQ(RetraceTrace(0.5, 0.8f, 0.2f), 0.5f);
  EXPECT_FLOAT_EQ(RetraceTrace(1, 0, 0.3f), 0);
  EXPECT_FLOAT_EQ(RetraceTrace(1, 0.5f, 0), 1);  // A row that should not exist.
}

TEST(RetraceTarget, AddsCorrectionsAsFarAsTheTracesReach) {
  const auto horizons = Horizons({{.reward = 1}, {.reward = 2}, {.reward = 4}}, 0.5);
  const auto target = [&](float first_trace, float second_trace) {
    return RetraceTarget(
        horizons,
        &Horizon::reward,
        std::array<RetraceStep, 3>{{{first_trace, 10, 12}, {second_trace, 20, 21}, {1, 30, 33}}});
  };

  EXPECT_FLOAT_EQ(target(0, 1), 1 + 0.5f * 10);
  const float first = 0.5f * 2 + 0.25f * 20 - 0.5f * 12,
              second = 0.25f * 4 + 0.125f * 30 - 0.25f * 21;
  EXPECT_FLOAT_EQ(target(0.5f, 0), 6 + 0.5f * first);
  EXPECT_FLOAT_EQ(target(0.5f, 0.25f), 6 + 0.5f * first + 0.125f * second);
}

TEST(RetraceTarget, OfAGreedyPolicyEndsWhereChooseHorizonDoes) {
  const auto horizons = Horizons(
      {{.reward = 1, .activated = true}, {.reward = 2}, {.reward = 4, .activated = true}}, 0.9);
  for (const std::array<std::uint8_t, 3> followed :
       {std::array<std::uint8_t, 3>{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {1, 1, 1}}) {
    std::array<RetraceStep, 3> behind;
    for (std::size_t k = 0; k < 3; ++k) {
      const float best = 3 + static_cast<float>(k);
      behind[k] = {RetraceTrace(1, followed[k], 0.3f), best, followed[k] ? best : best - 1};
    }
    const auto chosen = static_cast<std::size_t>(ChooseHorizon(horizons, followed));

    EXPECT_NEAR(RetraceTarget(horizons, &Horizon::calls, behind),
                horizons[chosen].calls + horizons[chosen].discount * behind[chosen].expected,
                1e-5)
        << chosen;
  }
}

TEST(RetraceTarget, BehindATerminalRowIsNothing) {
  const auto horizons = Horizons({{.reward = 1}, {.reward = 2, .terminal = true}}, 0.5);

  EXPECT_FLOAT_EQ(
      RetraceTarget(horizons, &Horizon::reward, std::array<RetraceStep, 2>{{{1, 10, 12}, {}}}),
      1 + 5 + (1 - 6));
}

}  // namespace
}  // namespace londi::learner
