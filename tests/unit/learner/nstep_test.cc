#include "learner/nstep.h"

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
  EXPECT_EQ(horizons[2].activations, 2);
  EXPECT_FLOAT_EQ(horizons[2].discount, 0.125);
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

}  // namespace
}  // namespace londi::learner
