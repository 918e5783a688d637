#include "learner/algorithms/make_algorithm.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/policy_network.h"
#include "tests/support/algorithm_support.h"

namespace londi::learner {
namespace {

using testing::kNumFeatures;
using testing::MakeChoice;

std::unique_ptr<Algorithm> MakeSmall(const std::string& name,
                                     std::uint64_t seed = 1,
                                     int width = 8) {
  at::set_num_threads(1);  // More of them would wait for one another.
  const NetworkOptions network{.width = width, .layers = 1, .adam = {.learning_rate = 1e-2}};
  return MakeAlgorithm(
      {.name = name,
       .dqn = {.network = network, .disagreement_width = 8, .target_rate = 0.5},
       .sac = {.network = network, .target_rate = 0.5, .temperature = 1, .target_entropy = 0.1},
       .ppo = {.network = network}},
      kNumFeatures,
      "cpu",
      seed);
}

// A row that goes on with a successor, and one that ends its episode.
Batch MakeRows(float feature = 0.5f) {
  Batch batch = MakeChoice(0.7f, /*remaining=*/2, feature);
  batch.num_successors = 1;
  std::ranges::fill(batch.inputs.Resize(3 * static_cast<std::size_t>(batch.width)), feature);
  batch.contexts.push_back({0.1f, 2});
  batch.horizons[0].terminal = false;
  batch.horizon_successor[0] = 0;
  return batch;
}

void ExpectSame(const AlgorithmState& a, const AlgorithmState& b) {
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (std::size_t i = 0; i < a.arrays.size(); ++i)
    EXPECT_EQ(a.arrays[i].values, b.arrays[i].values) << a.arrays[i].name;
  EXPECT_EQ(a.counters, b.counters);
}

class EveryAlgorithm : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryAlgorithm, AnUpdateThatIsNotFiniteChangesNothing) {
  const auto algorithm = MakeSmall(GetParam());
  algorithm->Update(MakeRows());
  const AlgorithmState before = algorithm->Save();

  const UpdateResult result = algorithm->Update(MakeRows(std::numeric_limits<float>::quiet_NaN()));

  EXPECT_TRUE(result.skipped);
  ExpectSame(algorithm->Save(), before);
}

TEST_P(EveryAlgorithm, ARestoredOneContinuesExactly) {
  const auto original = MakeSmall(GetParam(), 1);
  for (int i = 0; i < 5; ++i) original->Update(MakeRows(0.1f * static_cast<float>(i)));
  const auto restored = MakeSmall(GetParam(), 2);
  restored->Restore(original->Save());

  original->Update(MakeRows());
  restored->Update(MakeRows());

  ExpectSame(restored->Save(), original->Save());
}

TEST_P(EveryAlgorithm, RefusesTheStateOfAnotherNetworkAndKeepsItsOwn) {
  const auto algorithm = MakeSmall(GetParam());
  const AlgorithmState before = algorithm->Save();
  std::vector<AlgorithmState> refused{MakeSmall(GetParam(), 1, /*width=*/16)->Save(), before};
  refused.back().architecture = "transformer";
  for (std::size_t missing = 0; missing < before.arrays.size(); ++missing) {
    AlgorithmState& state = refused.emplace_back(before);
    for (core::NamedArray& array : state.arrays) std::ranges::fill(array.values, 5.0f);
    state.arrays.erase(state.arrays.begin() + static_cast<std::ptrdiff_t>(missing));
  }

  for (const AlgorithmState& state : refused)
    EXPECT_THROW(algorithm->Restore(state), core::ModelError);

  ExpectSame(algorithm->Save(), before);
}

INSTANTIATE_TEST_SUITE_P(Algorithms,
                         EveryAlgorithm,
                         ::testing::ValuesIn(AlgorithmNames()),
                         [](const auto& tested) { return tested.param; });

TEST(StochasticPolicies, BeginAsAFairCoin) {
  for (const char* name : {"sac", "ppo"}) {
    const auto weights = MakeSmall(name)->Export(core::WeightsVersion(3));

    EXPECT_EQ(weights->architecture, core::policy_network::kArchitecture);
    EXPECT_EQ(weights->version, core::WeightsVersion(3));
    EXPECT_EQ(weights->Find("logit.weight").values, std::vector<float>(8, 0.0f));
    EXPECT_EQ(weights->Find("logit.bias").values, std::vector<float>{0.0f});
  }
}

}  // namespace
}  // namespace londi::learner
