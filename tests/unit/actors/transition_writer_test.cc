#include "actors/transition_writer.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "core/half.h"
#include "transport/in_process.h"

namespace londi::actors {
namespace {

TEST(ToTransition, CarriesTheStepTheDecisionAndItsPrice) {
  const EpisodeSetup episode{
      .id = core::EpisodeId(9), .terms = {.cost = 0.05f, .budget = 3}, .reference = 0.4f};
  core::Decision decision;
  decision.features = {0.5f, -2.0f};
  decision.quick.action = 1;
  decision.quick.model = "00000000000000ab";
  decision.quick.usage = {.computed_tokens = 10, .flops = 3e9, .compute_ms = 4, .batch_size = 2};
  decision.deepthink.emplace();
  decision.deepthink->action = 4;
  decision.deepthink->model = "ffffffffffffffff";
  decision.deepthink->usage = {
      .computed_tokens = 7, .flops = 5e9, .compute_ms = 9, .batch_size = 1};
  decision.choice = {.activate = true, .behaviour_prob = 0.2f, .version = core::WeightsVersion(12)};

  const core::Transition row = ToTransition({.episode = episode,
                                             .decision = decision,
                                             .step = 5,
                                             .steps_left = 20,
                                             .remaining = 2,
                                             .reward = 0.75f,
                                             .terminated = true});

  EXPECT_EQ(row.episode, core::EpisodeId(9));
  EXPECT_EQ(row.step, 5);
  EXPECT_EQ(row.steps_left, 20);
  EXPECT_EQ(row.features, core::ToHalf(decision.features));
  EXPECT_EQ(row.quick_action, 1);
  EXPECT_EQ(row.deepthink_action, 4);
  EXPECT_FALSE(row.agreed());
  EXPECT_TRUE(row.activated);
  EXPECT_FLOAT_EQ(row.behaviour_prob, 0.2f);
  EXPECT_TRUE(row.may_activate);
  EXPECT_FLOAT_EQ(row.reward, 0.75f);
  EXPECT_FLOAT_EQ(row.cost, 0.05f);
  EXPECT_EQ(row.remaining, 2);
  EXPECT_FLOAT_EQ(row.reference, 0.4f);
  EXPECT_TRUE(row.terminated);
  EXPECT_FALSE(row.truncated);
  EXPECT_EQ(row.weights, core::WeightsVersion(12));
  EXPECT_EQ(row.quick_model, 0xabu);
  EXPECT_EQ(row.deepthink_model, 0xffffffffffffffffu);
  EXPECT_EQ(row.tokens, 17);
  EXPECT_FLOAT_EQ(row.gflops, 8);
  EXPECT_FLOAT_EQ(row.milliseconds, 11);
}

TEST(ToTransition, WithoutACallDeepthinksActionIsUnknown) {
  const EpisodeSetup episode;
  core::Decision decision;
  decision.quick.action = 2;

  const core::Transition row = ToTransition({.episode = episode, .decision = decision});

  EXPECT_EQ(row.deepthink_action, core::Transition::kUnknownAction);
  EXPECT_EQ(row.deepthink_model, 0u);
  EXPECT_FALSE(row.agreed());
}

TEST(ToTransition, ALabelSaysWhatDeepthinkWouldHaveDoneButIsNoPartOfThePrice) {
  const EpisodeSetup episode;
  core::Decision decision;
  decision.quick.action = 2;
  decision.quick.usage = {.computed_tokens = 10, .flops = 3e9, .compute_ms = 4, .batch_size = 2};
  decision.label.emplace();
  decision.label->action = 2;
  decision.label->model = "00000000000000cd";
  decision.label->usage = {.computed_tokens = 7, .flops = 5e9, .compute_ms = 9, .batch_size = 1};

  const core::Transition row = ToTransition({.episode = episode, .decision = decision});

  EXPECT_TRUE(row.agreed());
  EXPECT_FALSE(row.activated);
  EXPECT_EQ(row.deepthink_model, 0xcdu);
  EXPECT_EQ(row.tokens, 10);
  EXPECT_FLOAT_EQ(row.gflops, 3);
  EXPECT_FLOAT_EQ(row.milliseconds, 2);
}

TEST(ToTransition, ActivatingIsLegalAsFarAsTheDecisionFoundOut) {
  const EpisodeSetup episode;
  core::Decision decision;

  EXPECT_TRUE(ToTransition({.episode = episode, .decision = decision}).may_activate);
  decision.may_activate = false;
  EXPECT_FALSE(
      ToTransition({.episode = episode, .decision = decision, .remaining = 9}).may_activate);
}

TEST(ToTransition, ThePriceIsThatOfDeepthinksAnswerInTheUnitOfTheBudget) {
  EpisodeSetup episode;
  core::Decision decision;
  decision.quick.usage = {.computed_tokens = 10};
  const auto price = [&] { return ToTransition({.episode = episode, .decision = decision}).price; };

  decision.deepthink.emplace();
  decision.deepthink->usage = {.computed_tokens = 7};
  EXPECT_EQ(price(), 1);  // A call.
  episode.terms.meter = core::BudgetMeter(core::BudgetUnit::kTokens, 20);
  EXPECT_EQ(price(), 7);
  decision.label = std::exchange(decision.deepthink, std::nullopt);
  EXPECT_EQ(price(), 7);  // What it would have taken.
}

TEST(ModelNumber, ReadsHexDigitsAndHashesEverythingElse) {
  EXPECT_EQ(ModelNumber(""), 0u);
  EXPECT_EQ(ModelNumber("0123456789abcdef"), 0x0123456789abcdefu);
  EXPECT_EQ(ModelNumber("0123456789abcdef99"), 0x0123456789abcdefu);
  EXPECT_NE(ModelNumber("my-model"), 0u);
  EXPECT_NE(ModelNumber("my-model"), ModelNumber("my-modem"));
}

class TransitionWriterTest : public ::testing::Test {
 protected:
  std::vector<core::Transition> Received() {
    std::vector<core::Transition> rows;
    while (const auto batch = channel_.Receive(std::chrono::steady_clock::now()))
      rows.insert(rows.end(), batch->rows.begin(), batch->rows.end());
    return rows;
  }

  transport::InProcessTransitionChannel channel_{{.spool = {.flush_rows = 1}}};
};

TEST_F(TransitionWriterTest, NumbersTheRowsOfAllThreadsWithoutAGap) {
  const auto sink = channel_.MakeSink();
  TransitionWriter writer(*sink, core::ActorId(3), core::Incarnation(2));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int row = 0; row < 50; ++row) EXPECT_TRUE(writer.Write({}));
    });
  }
  for (std::thread& thread : threads) thread.join();

  const std::vector<core::Transition> rows = Received();

  ASSERT_EQ(rows.size(), 200u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].sequence.value, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(rows[i].actor, core::ActorId(3));
    EXPECT_EQ(rows[i].incarnation, core::Incarnation(2));
  }
  EXPECT_EQ(writer.num_written(), 200);
}

TEST_F(TransitionWriterTest, ARowThatAClosedSinkRefusesIsNotCounted) {
  const auto sink = channel_.MakeSink();
  TransitionWriter writer(*sink, core::ActorId(3), core::Incarnation(2));
  ASSERT_TRUE(writer.Write({}));
  sink->Close();

  EXPECT_FALSE(writer.Write({}));

  EXPECT_EQ(writer.num_written(), 1);
}

}  // namespace
}  // namespace londi::actors
