#include "learner/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/half.h"
#include "core/switcher.h"
#include "learner/algorithms/dueling_loss.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

using testing::MakeTransition;
using testing::RowValues;
using testing::TempFolder;

constexpr std::int32_t kUnlimited = -1;

class MakeBatchTest : public ::testing::Test {
 protected:
  MakeBatchTest() : log_(folder_.path(), {}) {}

  void Add(RowValues values) {
    values.sequence = ++sequence_;
    values.step = static_cast<int>(sequence_ - 1);
    values.steps_left = 20 - values.step;
    const core::Transition row = MakeTransition(values);
    log_.Append({&row, 1});
    log_.Commit();
  }
  Batch Make(std::vector<std::int64_t> rows,
             const BatchOptions& options,
             int n_step = 3,
             int memory_window = 0) {
    Replay replay(log_, {.capacity = 1000}, n_step, memory_window);
    replay.CatchUp(log_.end());
    Replay::Samples samples{.rows = std::move(rows)};
    samples.weights.assign(samples.rows.size(), 0.5f);
    Batch batch;
    MakeBatch(replay, samples, options, random_, batch);
    return batch;
  }
  static BatchOptions AsRecorded() {
    BatchOptions options{.gamma = 0.5};
    options.relabel.enabled = false;
    return options;
  }
  static Context Successor(const Batch& batch, std::size_t horizon) {
    return batch
        .contexts[static_cast<std::size_t>(batch.num_states + batch.horizon_successor[horizon])];
  }

  TempFolder folder_;
  SegmentLog log_;
  Random random_{1};
  std::int64_t sequence_ = 0;
};

TEST_F(MakeBatchTest, SuccessorsKeepTheCostAndHaveWhatTheWindowLeftOfTheBudget) {
  Add({.activated = true, .reward = 1, .cost = 0.1f, .remaining = 3});
  Add({.reward = 2, .cost = 0.1f, .remaining = 2});
  Add({.activated = true, .behaviour_prob = 0.2f, .cost = 0.1f, .remaining = 2, .agreed = true});
  Add({.cost = 0.1f, .remaining = 1, .terminated = true});

  const Batch batch = Make({0}, AsRecorded());

  ASSERT_EQ(batch.num_states, 1);
  ASSERT_EQ(batch.horizons.size(), 3u);
  EXPECT_TRUE(batch.entries[0].activate);
  EXPECT_EQ(batch.behaviour_probs, std::vector<float>{1});
  EXPECT_FLOAT_EQ(batch.entries[0].weight, 0.5f);
  const std::int32_t remaining[] = {2, 2, 1};
  const std::uint8_t activated[] = {0, 1, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(Successor(batch, i).remaining, remaining[i]);
    EXPECT_FLOAT_EQ(Successor(batch, i).cost, 0.1f);
    EXPECT_EQ(batch.horizon_activated[i], activated[i]);
    EXPECT_FLOAT_EQ(batch.horizon_behaviour_prob[i], activated[i] ? 0.2f : 1);
  }
  EXPECT_FLOAT_EQ(batch.horizons[1].reward, 2);
}

TEST_F(MakeBatchTest, InputsAreTheRowsFeaturesAndTheEncodedContext) {
  Add({.cost = 0.1f, .remaining = 3});
  Add({.cost = 0.1f, .remaining = 3, .terminated = true});

  const Batch batch = Make({0}, AsRecorded(), 1);

  ASSERT_EQ(batch.width, 4 + core::kNumContextInputs);
  for (int row : {0, 1}) {
    const auto inputs = std::span(batch.inputs.values())
                            .subspan(static_cast<std::size_t>(row * batch.width),
                                     static_cast<std::size_t>(batch.width));
    std::vector<float> context(core::kNumContextInputs);
    core::EncodeContext(0.1f, 3, 20 - row, context);
    EXPECT_EQ(inputs[0], static_cast<float>(row + 1));  // The features begin with the sequence.
    EXPECT_TRUE(std::ranges::equal(inputs.subspan(4), context)) << row;
  }
}

TEST_F(MakeBatchTest, OneRowTeachesAllBudgetsAndCosts) {
  Add({.activated = true, .cost = 0.1f, .remaining = 1});
  Add({.cost = 0.1f, .remaining = 0});
  Add({.cost = 0.1f, .remaining = 0, .terminated = true});
  BatchOptions options;
  options.relabel = {.keep = 0, .max_budget = 4, .unlimited = 0.25};

  const Batch batch = Make(std::vector<std::int64_t>(2000, 0), options, 1);

  std::set<std::int32_t> budgets;
  std::set<float> costs;
  for (std::size_t i = 0; i < 2000; ++i) {
    const Context& context = batch.contexts[i];
    budgets.insert(context.remaining);
    costs.insert(context.cost);
    const auto horizon = static_cast<std::size_t>(batch.entries[i].first_horizon);
    ASSERT_EQ(Successor(batch, horizon).cost, context.cost);
    ASSERT_EQ(Successor(batch, horizon).remaining,
              context.remaining == kUnlimited ? kUnlimited : context.remaining - 1);
  }
  EXPECT_EQ(budgets, (std::set<std::int32_t>{kUnlimited, 1, 2, 3, 4}));  // Never 0: g was 1.
  EXPECT_GT(costs.size(), 1000u);
  EXPECT_TRUE(costs.contains(0));
}

TEST_F(MakeBatchTest, AgreementTeachesTheOtherChoiceToo) {
  Add({.reward = 1, .remaining = 2, .agreed = true});
  Add({.activated = true, .reward = 1, .remaining = 2, .agreed = true});
  Add({.remaining = 1});
  Add({.remaining = 1, .terminated = true});

  const Batch batch = Make({0, 1, 2}, AsRecorded(), 1);

  ASSERT_EQ(batch.entries.size(), 5u);
  const Batch::Entry& call = batch.entries[3];
  const Batch::Entry& quick = batch.entries[4];
  EXPECT_EQ(call.state, 0);
  EXPECT_TRUE(call.activate);
  EXPECT_EQ(batch.horizons[static_cast<std::size_t>(call.first_horizon)].spent, 1);
  EXPECT_EQ(Successor(batch, static_cast<std::size_t>(call.first_horizon)).remaining, 1);
  EXPECT_EQ(quick.state, 1);
  EXPECT_FALSE(quick.activate);
  EXPECT_EQ(batch.horizons[static_cast<std::size_t>(quick.first_horizon)].spent, 0);
  EXPECT_EQ(Successor(batch, static_cast<std::size_t>(quick.first_horizon)).remaining, 2);
}

// Budgets of tokens, 50 a typical call.
TEST_F(MakeBatchTest, ACallTakesItsPriceOutOfTheBudgetAndInputsSeeTypicalCalls) {
  Add({.activated = true, .remaining = 100, .price = 37});
  Add({.activated = true, .remaining = 63, .price = 60});
  Add({.remaining = 3, .terminated = true});
  BatchOptions options = AsRecorded();
  options.relabel.ticks_per_call = 50;

  const Batch batch = Make({0}, options);

  EXPECT_EQ(Successor(batch, 0).remaining, 63);
  EXPECT_EQ(Successor(batch, 1).remaining, 3);
  EXPECT_EQ(batch.horizons[1].spent, 97);
  EXPECT_FLOAT_EQ(batch.horizons[1].calls, 1.5f);  // Activations, discounted: not their price.
  std::vector<float> context(core::kNumContextInputs);
  core::EncodeContext(0, 2, 20, context);
  EXPECT_TRUE(std::ranges::equal(std::span(batch.inputs.values())
                                     .subspan(4, static_cast<std::size_t>(core::kNumContextInputs)),
                                 context));
}

TEST_F(MakeBatchTest, AnAgreedCallThatTheBudgetCouldNotPayTeachesThatNothingIsSpent) {
  Add({.reward = 1, .remaining = 30, .price = 37, .agreed = true});
  Add({.remaining = 30, .terminated = true});

  const Batch batch = Make({0}, AsRecorded(), 1);

  ASSERT_EQ(batch.entries.size(), 2u);
  const auto horizon = static_cast<std::size_t>(batch.entries[1].first_horizon);
  EXPECT_TRUE(batch.entries[1].activate);
  EXPECT_EQ(batch.horizons[horizon].spent, 0);
  EXPECT_EQ(batch.horizons[horizon].calls, 0);
  EXPECT_EQ(Successor(batch, horizon).remaining, 30);
}

// With as much left or less it would have been refused, too; with more nobody knows.
TEST_F(MakeBatchTest, ARefusedCallTeachesThatChoosingItIsLikeQuick) {
  Add({.reward = 1, .remaining = 30, .refused = true});
  Add({.remaining = 30, .terminated = true});
  BatchOptions options;
  options.relabel = {.keep = 0, .max_budget = 3, .unlimited = 0.2, .ticks_per_call = 20};

  const Batch batch = Make(std::vector<std::int64_t>(500, 0), options, 1);

  int expected = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    const std::int32_t remaining = batch.contexts[i].remaining;
    expected += remaining >= 1 && remaining <= 30;
  }
  ASSERT_GT(expected, 100);
  ASSERT_LT(expected, 400);
  ASSERT_EQ(batch.entries.size(), static_cast<std::size_t>(500 + expected));
  for (std::size_t i = 500; i < batch.entries.size(); ++i) {
    const auto horizon = static_cast<std::size_t>(batch.entries[i].first_horizon);
    ASSERT_TRUE(batch.entries[i].activate);
    ASSERT_EQ(batch.horizons[horizon].calls, 0);
    ASSERT_EQ(Successor(batch, horizon).remaining,
              batch.contexts[static_cast<std::size_t>(batch.entries[i].state)].remaining);
  }
}

// Budgets of milliseconds, 20 a typical call and 50 the longest, which the governor reserves.
TEST_F(MakeBatchTest, NoRowTeachesACallAtABudgetAtWhichNoneIsAdmitted) {
  Add({.activated = true, .remaining = 90, .price = 15});
  Add({.activated = true, .remaining = 75, .price = 60});
  Add({.remaining = 15, .agreed = true});
  Add({.remaining = 15, .terminated = true});
  BatchOptions options;
  options.relabel = {
      .keep = 0, .max_budget = 5, .unlimited = 0, .ticks_per_call = 20, .least_per_call = 50};

  for (const bool follow_greedy_only : {true, false}) {
    options.follow_greedy_only = follow_greedy_only;
    std::vector<std::int64_t> rows(900);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i % 3);
    const Batch batch = Make(rows, options, 2);

    EXPECT_EQ(batch.least_per_call, 50);
    std::vector<std::int32_t> least(3, 1000);
    for (const Batch::Entry& entry : batch.entries) {
      const auto state = static_cast<std::size_t>(entry.state);
      const std::int32_t remaining = batch.contexts[state].remaining;
      least[state % 3] = std::min(least[state % 3], remaining);
      ASSERT_GE(remaining, !entry.activate ? 0 : state % 3 == 1 ? 60 : 50);
    }
    // Followed blindly, the first row's window has the second call in it, too.
    EXPECT_EQ(least, (std::vector<std::int32_t>{follow_greedy_only ? 50 : 75, 60, 0}));
  }
}

TEST_F(MakeBatchTest, SaysWhereTheLmsDisagreedAsFarAsDeepthinkWasAsked) {
  Add({.activated = true, .agreed = true});
  Add({.activated = true, .disagreed = true});
  Add({.activated = false});
  Add({.terminated = true});

  const Batch batch = Make({1, 0, 2}, AsRecorded(), 1);

  using enum Batch::Disagreement;
  EXPECT_EQ(batch.disagreements, (std::vector<Batch::Disagreement>{kDisagreed, kAgreed, kUnknown}));
}

TEST_F(MakeBatchTest, AgreementTeachesNoCallThatTheBudgetForbids) {
  Add({.remaining = 0, .agreed = true});
  Add({.remaining = 0, .terminated = true});

  EXPECT_EQ(Make({0}, AsRecorded(), 1).entries.size(), 1u);
}

TEST_F(MakeBatchTest, AnOverdrawnWindowDoesNotTurnIntoAnUnlimitedBudget) {
  Add({.remaining = 9});
  Add({.activated = true, .remaining = 9});
  Add({.activated = true, .remaining = 8});
  Add({.remaining = 7, .terminated = true});
  BatchOptions options = AsRecorded();
  options.relabel = {.keep = 0, .max_budget = 0, .unlimited = 0};  // z = 0.

  const Batch batch = Make({0}, options);

  ASSERT_EQ(batch.contexts[0].remaining, 0);
  for (std::size_t i = 0; i < batch.horizons.size(); ++i)
    EXPECT_EQ(Successor(batch, i).remaining, 0) << i;
}

// Tokens, 20 a typical call: the mask admits a call with 30 left, its price of 60 does not.
TEST_F(MakeBatchTest, NoWindowCollectsTheRewardOfACallThatItsBudgetCouldNotPay) {
  Add({.remaining = 100});
  Add({.activated = true, .reward = 1, .remaining = 100, .price = 60, .terminated = true});
  BatchOptions options{.gamma = 0.5};
  options.relabel = {.keep = 0, .max_budget = 5, .unlimited = 0, .ticks_per_call = 20};

  const Batch batch = Make(std::vector<std::int64_t>(300, 0), options);

  constexpr Values kWantsCall{.return_value = 0.25f, .return_advantage = 10};
  std::vector<Bootstrap> bootstraps(batch.entries.size());
  ChooseBootstraps(batch,
                   std::vector<Values>(static_cast<std::size_t>(batch.num_successors), kWantsCall),
                   bootstraps);
  int num_dear = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    const bool pays = batch.contexts[i].remaining >= 60;
    num_dear += !pays;
    ASSERT_EQ(batch.entries[i].num_horizons, pays ? 2 : 1);
    // Either the call's reward, or what the critic says of the state before it.
    ASSERT_EQ(bootstraps[i].horizon.reward, pays ? 0.5f : 0);
    ASSERT_EQ(bootstraps[i].successor < 0, pays);
  }
  EXPECT_GT(num_dear, 100);
}

TEST_F(MakeBatchTest, UncorrectedWindowsHaveOneHorizonThatTheBudgetAffords) {
  Add({.activated = true, .remaining = 9});
  Add({.activated = true, .remaining = 8});
  Add({.remaining = 7});
  Add({.remaining = 7});
  BatchOptions options = AsRecorded();
  options.follow_greedy_only = false;
  options.relabel = {.keep = 0, .max_budget = 5, .unlimited = 0};

  const Batch batch = Make(std::vector<std::int64_t>(200, 0), options);

  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_EQ(batch.entries[i].num_horizons, 1);
    ASSERT_GE(batch.contexts[i].remaining, 2);
  }
}

TEST_F(MakeBatchTest, BranchedRowsKeepTheTermsThatTheirGainsWerePlayedOutAt) {
  Add({.cost = 0.7f, .remaining = 5, .gain = {{0.5f, -2}}});
  Add({.cost = 0.7f, .remaining = 5, .terminated = true});
  BatchOptions options;
  options.relabel.keep = 0;

  const Batch batch = Make({0, 1, 0, 1}, options, 1);

  ASSERT_EQ(batch.gains.size(), 4u);
  EXPECT_EQ(batch.gains[0], (core::Transition::Gain{0.5f, -2}));
  EXPECT_FALSE(batch.gains[1].has_value());
  for (const std::size_t branched : {0u, 2u}) {
    EXPECT_EQ(batch.contexts[branched].cost, 0.7f);
    EXPECT_EQ(batch.contexts[branched].remaining, 5);
  }
  EXPECT_NE(batch.contexts[1].cost, 0.7f);
}

TEST_F(MakeBatchTest, EachStateHasItsTasksReferenceAndItsOwnReward) {
  Add({.reward = 1, .reference = 0.25f});
  Add({.terminated = true, .reference = 0.25f});

  const Batch batch = Make({1, 0}, AsRecorded(), 1);
  const Batch next = Make({0}, AsRecorded(), 1);

  EXPECT_EQ(batch.references, (std::vector<float>{0.25f, 0.25f}));
  EXPECT_EQ(batch.horizons[1].reward, 1);
  EXPECT_EQ(next.references.size(), 1u);
}

TEST(BatchOptions, MoreBranchedRowsThanABatchHasAreRefused) {
  EXPECT_NO_THROW((BatchOptions{.batch_size = 8, .branched_rows = 7}).Validate());
  EXPECT_THROW((BatchOptions{.batch_size = 8, .branched_rows = 8}).Validate(), core::ConfigError);
  EXPECT_THROW((BatchOptions{.batch_size = 8, .branched_rows = -1}).Validate(), core::ConfigError);
}

TEST_F(MakeBatchTest, EachStateAndSuccessorHasTheMemoryOfItsOwnPast) {
  for (int i = 0; i < 8; ++i) Add({.terminated = i == 7, .agreed = true});
  for (const bool follow_greedy_only : {true, false}) {
    BatchOptions options = AsRecorded();
    options.follow_greedy_only = follow_greedy_only;

    const Batch batch = Make({1, 6, 3}, options, /*n_step=*/2, /*memory_window=*/2);

    const MemoryChains& memory = batch.memory;
    ASSERT_EQ(memory.places.size(), batch.rows.size());
    for (std::size_t i = 0; i < batch.rows.size(); ++i)
      EXPECT_EQ(memory.rows[static_cast<std::size_t>(memory.places[i])], batch.rows[i]) << i;
    // From step 0: 0..3 (row 1 and its successors), 0..3 (row 3); from step 2: 2..5 (row 3's
    // successors); from step 4: 4..7 (row 6).
    EXPECT_EQ(memory.num_running, (std::vector<std::int64_t>{64, 64, 64, 64}));
    for (const std::int64_t first : {0, 64, 128, 192}) {
      const auto begin = memory.rows.begin() + first;
      const std::vector<std::int64_t> starts{0, 0, 2, 4};
      std::vector<std::int64_t> step(begin, begin + 4);
      std::ranges::sort(step);
      for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(step[i], starts[i] + first / 64);
    }
    ASSERT_EQ(memory.features.values().size(), memory.rows.size() * 4);
    for (std::size_t i = 0; i < memory.rows.size(); ++i)
      EXPECT_EQ(memory.features.values()[4 * i], static_cast<float>(memory.rows[i] + 1));
  }
  EXPECT_TRUE(Make({1}, AsRecorded()).memory.rows.empty());
}

}  // namespace
}  // namespace londi::learner
