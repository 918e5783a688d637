#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "core/bounded_queue.h"
#include "core/budget.h"
#include "core/error.h"
#include "core/half.h"
#include "core/language_model.h"
#include "core/prompt.h"
#include "core/switcher.h"

namespace londi::core {
namespace {

TEST(Half, EveryFiniteHalfSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if ((half & 0x7c00u) == 0x7c00u && (half & 0x3ffu) != 0)
      continue;  // NaN payloads are not kept.
    ASSERT_EQ(FloatToHalf(HalfToFloat(half)), half) << "half bits " << bits;
  }
}

TEST(Half, WideningAVectorIsWideningEachValue) {
  std::vector<std::uint16_t> halves(65536 - 3);  // Not a multiple of any vector's length.
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  ToFloat(halves, floats);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const float expected = HalfToFloat(halves[i]);
    ASSERT_TRUE(floats[i] == expected || (floats[i] != floats[i] && expected != expected))
        << "half bits " << i;
  }
}

TEST(Half, RoundsToNearestEvenAndKeepsTheSpecialValues) {
  EXPECT_EQ(FloatToHalf(1.0f), 0x3c00);
  EXPECT_EQ(FloatToHalf(1.0f + 0x1p-11f), 0x3c00);  // Tie: to even.
  EXPECT_EQ(FloatToHalf(1.0f + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToHalf(-0.0f), 0x8000);
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(BoundedQueue, RefusesPushesAfterCloseButDrainsWhatItHolds) {
  BoundedQueue<int> queue(2);
  ASSERT_TRUE(queue.Push(1));
  ASSERT_TRUE(queue.Push(2));

  queue.Close();

  EXPECT_FALSE(queue.Push(3));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, CloseWakesAProducerThatWaitsForRoom) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  bool taken = true;
  std::thread producer([&] { taken = queue.Push(2); });

  queue.Close();
  producer.join();

  EXPECT_FALSE(taken);
}

TEST(BoundedQueue, PopUntilReturnsAtTheDeadline) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.PopUntil(SystemClock().Now()), std::nullopt);
}

TEST(BudgetGovernor, NeverSpendsMoreThanTheLimit) {
  BudgetGovernor governor(3);
  int granted = 0;
  for (int i = 0; i < 10; ++i) {
    if (!governor.Reserve()) continue;
    ++granted;
    governor.Settle(1);
  }
  EXPECT_EQ(granted, 3);
  EXPECT_EQ(governor.remaining(), 0);
  EXPECT_FALSE(BudgetGovernor(0).CanReserve());
}

TEST(BudgetGovernor, GivesBackWhatACallDidNotCost) {
  BudgetGovernor governor(100, /*most_per_call=*/40);

  EXPECT_EQ(governor.Reserve(), 40);
  EXPECT_EQ(governor.remaining(), 60);  // Taken out beforehand.
  governor.Settle(30);
  EXPECT_EQ(governor.remaining(), 70);
  EXPECT_EQ(governor.Reserve(), 40);
  governor.Settle(40);
  EXPECT_EQ(governor.Reserve(), 30);  // No more is left.
  governor.Settle(0);                 // Refused.
  EXPECT_EQ(governor.remaining(), 30);
  EXPECT_EQ(governor.spent(), 70);
}

TEST(BudgetGovernor, WithLessLeftThanACallMayNeedThereIsNone) {
  BudgetGovernor governor(100, 40, 40);

  ASSERT_EQ(governor.Reserve(), 40);
  governor.Settle(25);
  ASSERT_EQ(governor.Reserve(), 40);
  governor.Settle(36);
  EXPECT_EQ(governor.remaining(), 39);
  EXPECT_FALSE(governor.CanReserve());
  EXPECT_EQ(governor.Reserve(), std::nullopt);
  EXPECT_EQ(governor.spent(), 61);
}

TEST(BudgetGovernor, AReservationThatIsNeverSettledStaysSpent) {
  BudgetGovernor governor(100, 40);
  ASSERT_EQ(governor.Reserve(), 40);

  EXPECT_EQ(governor.Reserve(), 40);
  governor.Settle(10);

  EXPECT_EQ(governor.spent(), 50);
  EXPECT_EQ(governor.remaining(), 50);
}

TEST(BudgetGovernor, WhoSpendsMoreThanWasReservedLeavesNothing) {
  BudgetGovernor governor(10, 100);
  ASSERT_EQ(governor.Reserve(), 10);

  governor.Settle(25);

  EXPECT_EQ(governor.spent(), 25);
  EXPECT_EQ(governor.remaining(), 0);
  EXPECT_FALSE(governor.CanReserve());
}

TEST(BudgetGovernor, UnlimitedStaysUnlimited) {
  BudgetGovernor governor(BudgetGovernor::kUnlimited);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(governor.Reserve());
    governor.Settle(1);
  }
  EXPECT_EQ(governor.remaining(), BudgetGovernor::kUnlimited);
}

TEST(ComputeShareMs, SharesAForwardPassEquallyAndNeverDividesByZero) {
  EXPECT_DOUBLE_EQ(ComputeShareMs({.compute_ms = 12, .batch_size = 4}), 3);
  EXPECT_DOUBLE_EQ(ComputeShareMs({.compute_ms = 12, .batch_size = 0}), 12);
}

TEST(SummarizeLogProbs, KnowsTheBestTheMarginAndTheEntropy) {
  Proposal proposal;
  proposal.log_probs = {std::log(0.2f), std::log(0.6f), std::log(0.2f)};

  SummarizeLogProbs(proposal);

  EXPECT_EQ(proposal.action, 1);
  EXPECT_NEAR(proposal.margin, 0.4, 1e-6);
  EXPECT_NEAR(proposal.entropy, -(0.6 * std::log(0.6) + 0.4 * std::log(0.2)), 1e-6);
  EXPECT_NEAR(proposal.sequence_prob, 0.6, 1e-6);
}

TEST(Transcript, EachPromptIsAPrefixOfTheNext) {
  Transcript transcript(
      {"go to the red ball", {"You see a wall 3 steps forward", "You see a red ball 1 step left"}});
  const std::string first = transcript.prompt();
  EXPECT_EQ(first,
            "Goal: go to the red ball\n"
            "Observation: You see a wall 3 steps forward, You see a red ball 1 step left\n"
            "Action:");

  transcript.Append("turn left", {"go to the red ball", {}});

  EXPECT_EQ(transcript.prompt(), first + " turn left\nObservation:\nAction:");
}

TEST(EncodeContext, ABudgetAboveTheStepsLeftIsUnlimited) {
  float limited[kNumContextInputs], unlimited[kNumContextInputs];
  EncodeContext(0.05f, 10, 10, limited);
  EncodeContext(0.05f, BudgetGovernor::kUnlimited, 10, unlimited);
  for (int i = 0; i < kNumContextInputs; ++i) EXPECT_EQ(limited[i], unlimited[i]) << "input " << i;

  EncodeContext(0.05f, 2, 10, limited);
  EXPECT_EQ(limited[2], 0.0f);
  EXPECT_EQ(limited[8], 1.0f);
}

TEST(Error, TellsWhatWhyAndFix) {
  const Error error({.what = "a is 0", .why = "it must be positive", .fix = "set it to 1"});
  EXPECT_STREQ(error.what(), "a is 0\n  why: it must be positive\n  fix: set it to 1");
}

}  // namespace
}  // namespace londi::core
