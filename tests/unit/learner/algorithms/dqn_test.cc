#include "learner/algorithms/dqn.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/switcher.h"
#include "tests/support/algorithm_support.h"

namespace londi::learner {
namespace {

using ::testing::AllOf;
using testing::FindArray;
using ::testing::HasSubstr;

constexpr int kFeatures = 2;
constexpr std::int32_t kUnlimited = -1;

std::unique_ptr<Algorithm> MakeSmallDqn(std::uint64_t seed = 1, bool branching = false) {
  at::set_num_threads(1);  // More of them would wait for one another.
  return MakeDqn({.network = {.width = 8, .layers = 1, .adam = {.learning_rate = 1e-2}},
                  .disagreement_width = 8,
                  .branching = branching,
                  .target_rate = 0.5},
                 kFeatures,
                 "cpu",
                 seed);
}

// One row with reward 0.5 and g = 0, whose successor has `remaining` under cost 0.
Batch MakeOneStep(std::int32_t remaining) {
  Batch batch;
  batch.num_states = batch.num_successors = 1;
  batch.width = kFeatures + core::kNumContextInputs;
  std::ranges::fill(batch.inputs.Resize(2 * static_cast<std::size_t>(batch.width)), 0.5f);
  batch.contexts = {{0, remaining}, {0, remaining}};
  batch.disagreements = {Batch::Disagreement::kUnknown};
  batch.entries = {{.num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .discount = 0.9f}};
  batch.horizon_successor = {0};
  batch.horizon_activated = {0};
  return batch;
}

// A network that says the same of every state, and that the LMs disagree in it.
void SetHeads(AlgorithmState& state, const std::string& network, float value, float advantage) {
  for (const char* head : {"return.value", "return.gain"})
    std::ranges::fill(FindArray(state, network + head + ".weight").values, 0.0f);
  FindArray(state, network + "return.value.bias").values = {value};
  FindArray(state, network + "return.gain.bias").values = {advantage};
  FindArray(state, network + "disagreement.logit.bias").values = {100};
}

TEST(Dqn, TheOnlineNetworkChoosesTheTargetNetworkValues) {
  const auto target_of = [](float online_advantage, std::int32_t remaining) {
    const auto dqn = MakeSmallDqn();
    AlgorithmState state = dqn->Save();
    SetHeads(state, "online.", 100, online_advantage);
    SetHeads(state, "target.", 10, -2);  // Would choose QUICK itself.
    dqn->Restore(state);
    return dqn->Update(MakeOneStep(remaining)).mean_target_return;
  };

  EXPECT_NEAR(target_of(1, kUnlimited), 0.5 + 0.9 * (10 - 1), 1e-5);
  EXPECT_NEAR(target_of(-1, kUnlimited), 0.5 + 0.9 * (10 + 1), 1e-5);
  EXPECT_NEAR(target_of(1, 3), 0.5 + 0.9 * (10 - 1), 1e-5);
  EXPECT_NEAR(target_of(1, 0), 0.5 + 0.9 * (10 + 1), 1e-5);  // Masked.
  EXPECT_NEAR(target_of(std::numeric_limits<float>::quiet_NaN(), 3), 0.5 + 0.9 * (10 + 1), 1e-5);
}

TEST(Dqn, ByRetraceTheOnlinePolicyWeighsAndTheTargetNetworkValues) {
  at::set_num_threads(1);
  const auto dqn = MakeDqn({.network = {.width = 8, .layers = 1},
                            .disagreement_width = 8,
                            .retrace_lambda = 0.5,
                            .retrace_temperature = 0.1},
                           kFeatures,
                           "cpu",
                           1);
  AlgorithmState state = dqn->Save();
  SetHeads(state, "online.", 100, 0.1f);
  SetHeads(state, "target.", 10, -2);
  dqn->Restore(state);
  Batch batch = MakeOneStep(kUnlimited);
  batch.num_successors = 2;
  std::ranges::fill(batch.inputs.Resize(3 * static_cast<std::size_t>(batch.width)), 0.5f);
  batch.contexts.push_back({0, kUnlimited});
  batch.entries[0].num_horizons = 2;
  batch.horizons.push_back({.reward = 0.5f, .calls = 0.9f, .spent = 1, .discount = 0.81f});
  batch.horizon_successor = {0, 1};
  batch.horizon_activated = {1, 0};
  batch.horizon_behaviour_prob = {0.9f, 1};

  const double p = 1 / (1 + std::exp(-1.0)), expected = (1 - p) * 11 + p * 9;
  const double correction = 0.81 * expected - 0.9 * 9;
  EXPECT_NEAR(dqn->Update(batch).mean_target_return,
              0.5 + 0.9 * expected + 0.5 * p / 0.9 * correction,
              1e-4);
}

TEST(Dqn, IsConservativeIfItIsTo) {
  const auto losses = [](double strength) {
    const auto dqn = MakeDqn({.network = {.width = 8, .layers = 1, .adam = {.learning_rate = 1e-2}},
                              .disagreement_width = 8,
                              .conservative = strength},
                             kFeatures,
                             "cpu",
                             1);
    const Batch batch = MakeOneStep(kUnlimited);
    const double first = dqn->Update(batch).loss_conservative;
    for (int i = 0; i < 100; ++i) dqn->Update(batch);
    return std::pair(first, dqn->Update(batch).loss_conservative);
  };

  const auto [first, last] = losses(2);
  EXPECT_NEAR(first, 2 * std::log(2.0), 0.3);  // No advantage yet.
  EXPECT_LT(last, 0.5 * first);                // What the row did has become the better choice.
  EXPECT_EQ(losses(0), (std::pair<double, double>(0, 0)));
}

// Waiting earns 0.5, a call 0.7 for 0.1: in the end the two differ by 0.1 / (1 - strength), and the
// better one is worth what it is.
TEST(Dqn, WidensTheGapBetweenTheChoicesIfItIsTo) {
  const auto mean_target = [](double strength) {
    const auto dqn = MakeDqn({.network = {.width = 8, .layers = 1, .adam = {.learning_rate = 1e-2}},
                              .disagreement_width = 8,
                              .action_gap = strength},
                             kFeatures,
                             "cpu",
                             1);
    const Batch batch = testing::MakeChoice(0.7f);
    for (int i = 0; i < 500; ++i) dqn->Update(batch);
    return dqn->Update(batch).mean_target_return;
  };

  EXPECT_NEAR(mean_target(0), (0.5 + 0.7) / 2, 1e-6);
  EXPECT_NEAR(mean_target(0.5), (0.4 + 0.7) / 2, 0.01);
  EXPECT_NEAR(mean_target(0.75), (0.2 + 0.7) / 2, 0.01);
}

TEST(Dqn, LearnsGainsFromBranchedRowsIfItIsTo) {
  const auto gain_after = [](bool branching) {
    const auto dqn = MakeSmallDqn(1, branching);
    Batch batch = MakeOneStep(kUnlimited);
    batch.gains = {core::Transition::Gain{0.75f, -1}};
    for (int i = 0; i < 300; ++i) dqn->Update(batch);
    return dqn->Update(batch).loss_gains;
  };
  EXPECT_EQ(gain_after(false), 0);
  EXPECT_GT(MakeSmallDqn(1, /*branching=*/true)
                ->Update([] {
                  Batch batch = MakeOneStep(kUnlimited);
                  batch.gains = {core::Transition::Gain{0.75f, -1}};
                  return batch;
                }())
                .loss_gains,
            0.5);
  EXPECT_LT(gain_after(true), 1e-3);
}

TEST(Dqn, ATerminalRowIsWorthItsReward) {
  Batch batch = MakeOneStep(kUnlimited);
  batch.num_successors = 0;
  batch.contexts.pop_back();
  batch.horizons[0].terminal = true;
  batch.horizon_successor = {-1};

  EXPECT_FLOAT_EQ(static_cast<float>(MakeSmallDqn()->Update(batch).mean_target_return), 0.5f);
}

TEST(Dqn, BeginsWithQuickEverywhereAndLearns) {
  const auto dqn = MakeSmallDqn();
  EXPECT_EQ(dqn->Export(core::WeightsVersion(0))->Find("return.gain.weight").values,
            std::vector<float>(8, 0.0f));
  Batch batch = MakeOneStep(kUnlimited);
  batch.num_successors = 0;
  batch.contexts.pop_back();
  batch.horizons[0].terminal = true;
  batch.horizon_successor = {-1};

  const double first = dqn->Update(batch).loss_return;
  for (int i = 0; i < 50; ++i) dqn->Update(batch);

  EXPECT_LT(dqn->Update(batch).loss_return, first / 20);
}

TEST(Dqn, LearnsWhereTheLmsDisagreeFromTheRowsInWhichDeepthinkWasAsked) {
  const auto loss_after = [](Batch::Disagreement of_the_row, int updates) {
    const auto dqn = MakeSmallDqn();
    Batch batch = MakeOneStep(kUnlimited);
    batch.disagreements = {of_the_row};
    for (int i = 0; i < updates; ++i) dqn->Update(batch);
    return dqn->Update(batch).loss_disagreement;
  };

  EXPECT_NEAR(loss_after(Batch::Disagreement::kDisagreed, 0), std::log(2), 1e-6);
  EXPECT_LT(loss_after(Batch::Disagreement::kDisagreed, 50), 0.1);
  EXPECT_LT(loss_after(Batch::Disagreement::kAgreed, 50), 0.1);
  EXPECT_EQ(loss_after(Batch::Disagreement::kUnknown, 0), 0);
}

// Two rows that look the same and end with other rewards; what differs is the row before them.
Batch MakeSameLooks() {
  Batch batch;
  batch.num_states = 2;
  batch.width = kFeatures + core::kNumContextInputs;
  std::ranges::fill(batch.inputs.Resize(2 * static_cast<std::size_t>(batch.width)), 0.5f);
  batch.contexts = {{0, kUnlimited}, {0, kUnlimited}};
  batch.disagreements = {Batch::Disagreement::kUnknown, Batch::Disagreement::kUnknown};
  batch.entries = {{.state = 0, .num_horizons = 1},
                   {.state = 1, .first_horizon = 1, .num_horizons = 1}};
  batch.horizons = {{.reward = 0, .terminal = true}, {.reward = 1, .terminal = true}};
  batch.horizon_successor = {-1, -1};
  batch.horizon_activated = {0, 0};
  batch.memory.rows = {0, 1, 2, 3};
  batch.memory.num_running = {2, 2};
  batch.memory.places = {2, 3};
  const std::vector<float> read{1, 0, 0, 1, 0.5f, 0.5f, 0.5f, 0.5f};
  std::ranges::copy(read, batch.memory.features.Resize(read.size()).begin());
  return batch;
}

std::unique_ptr<Algorithm> MakeRememberingDqn(std::uint64_t seed, int memory_width = 4) {
  at::set_num_threads(1);
  return MakeDqn({.network = {.width = 8, .layers = 1, .adam = {.learning_rate = 1e-2}},
                  .disagreement_width = 8,
                  .memory = {.width = memory_width, .window = 7}},
                 kFeatures,
                 "cpu",
                 seed);
}

TEST(Dqn, WithAMemoryItTellsApartWhatLooksTheSame) {
  const auto loss_after = [](int memory_width) {
    const auto dqn = MakeRememberingDqn(1, memory_width);
    const Batch batch = MakeSameLooks();
    for (int i = 0; i < 300; ++i) dqn->Update(batch);
    return dqn->Update(batch).loss_return;
  };

  EXPECT_LT(loss_after(4), 1e-3);
  EXPECT_NEAR(loss_after(0), 0.125, 0.01);  // Half of one half squared.
}

TEST(Dqn, PublishesAndRestoresItsMemory) {
  const auto original = MakeRememberingDqn(1), restored = MakeRememberingDqn(2);
  const Batch batch = MakeSameLooks();
  for (int i = 0; i < 5; ++i) original->Update(batch);
  restored->Restore(original->Save());
  original->Update(batch);
  restored->Update(batch);

  const auto weights = original->Export(core::WeightsVersion(3));
  EXPECT_EQ(original->num_features(), kFeatures);
  EXPECT_EQ(weights->Find("memory.window").values, std::vector<float>{7});
  EXPECT_EQ(weights->Find("memory.input.weight").shape, (std::vector<std::int64_t>{12, kFeatures}));
  EXPECT_EQ(weights->Find("trunk.0.weight").shape.back(),
            kFeatures + 4 + core::kNumContextInputs + 2);
  for (const char* array : {"memory.input.weight", "memory.state.weight", "memory.state.bias"}) {
    EXPECT_EQ(weights->Find(array).values,
              restored->Export(core::WeightsVersion(3))->Find(array).values);
    EXPECT_NE(weights->Find(array).values,
              MakeRememberingDqn(1)->Export(core::WeightsVersion(3))->Find(array).values);
  }
  EXPECT_THROW(MakeRememberingDqn(1, /*memory_width=*/8)->Restore(original->Save()),
               core::ModelError);
  EXPECT_THROW(MakeRememberingDqn(1)->Restore(MakeRememberingDqn(1, 0)->Save()), core::ModelError);
}

}  // namespace
}  // namespace londi::learner
