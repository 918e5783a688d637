// The Switcher's network is written twice: in LibTorch for the learner, without for the actors.
// Here both evaluate the same weights on the same inputs.
#include "core/switcher_network.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "actors/switching/episode_network.h"
#include "actors/switching/mlp_network.h"
#include "actors/switching/mlp_switcher.h"
#include "actors/switching/policy_switcher.h"
#include "core/budget.h"
#include "core/policy_network.h"
#include "core/switcher.h"
#include "learner/algorithms/dueling_network.h"
#include "learner/algorithms/mlp.h"
#include "learner/memory_chains.h"
#include "tests/support/switcher_reference.h"

namespace londi {
namespace {

// fp32 sums in another order: a few units in the last place of values around 1.
constexpr double kTolerance = 1e-5;

struct Case {
  int num_features;
  int width;
  int layers;
  int disagreement_width;
};

// GoogleTest's own way prints the padding, too.
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.num_features << "x" << c.width << "x" << c.layers << ", d " << c.disagreement_width;
}

struct Context {
  float cost;
  std::int32_t remaining;
  std::int32_t steps_left;
};

// All kinds of contexts: no, small and large costs; budgets that are empty, around the one-hot's
// end, around the steps that are left, and unlimited.
std::vector<Context> AllContexts() {
  std::vector<Context> contexts;
  for (const float cost : {0.0f, 1e-3f, 0.02f, 0.1f, 0.3f, 1.0f}) {
    for (const std::int32_t steps_left : {1, 2, 8, 9, 30, 128}) {
      for (const std::int32_t remaining :
           {core::BudgetGovernor::kUnlimited, 0, 1, 2, 3, 7, 8, 9, 29, 30, 31, 200}) {
        contexts.push_back({cost, remaining, steps_left});
      }
    }
  }
  return contexts;
}

class SwitcherNetworkParity : public ::testing::TestWithParam<Case> {
 protected:
  // Weights as large as training makes them: PyTorch's initial ones, and nothing left at 0 or 1.
  SwitcherNetworkParity() {
    network_.Initialize(7);
    auto* values = network_.flat().data_ptr<float>();
    std::normal_distribution<float> normal(0, 0.05f);
    for (std::int64_t i = 0; i < network_.num_parameters(); ++i) values[i] += normal(random_);
    auto snapshot = std::make_shared<core::WeightsSnapshot>();
    snapshot->architecture = std::string(core::switcher_network::kArchitecture);
    snapshot->arrays = network_.ToArrays(network_.flat(), "");
    snapshot_ = snapshot;
  }

  std::vector<float> DrawFeatures() {
    std::normal_distribution<float> normal;
    std::vector<float> features(static_cast<std::size_t>(GetParam().num_features));
    for (float& value : features) value = normal(random_);
    return features;
  }

  core::switcher_network::Values InLibTorch(std::vector<float>& inputs) {
    const at::Tensor values = network_.Evaluate(
        at::from_blob(inputs.data(), {1, static_cast<std::int64_t>(inputs.size())}, at::kFloat));
    return *reinterpret_cast<const core::switcher_network::Values*>(values.data_ptr<float>());
  }

  std::mt19937_64 random_{11};
  learner::DuelingNetwork network_{{GetParam().num_features + core::kNumContextInputs,
                                    GetParam().width,
                                    GetParam().layers,
                                    GetParam().disagreement_width},
                                   at::kCPU,
                                   /*gradient=*/false};
  std::shared_ptr<const core::WeightsSnapshot> snapshot_;
};

TEST_P(SwitcherNetworkParity, ActorAndLearnerSeeTheSameValuesInEveryContext) {
  const actors::MlpNetwork network(snapshot_);
  const testing::SwitcherReference reference(*snapshot_);
  actors::MlpNetwork::Scratch scratch;
  int number = 0;
  for (const Context& context : AllContexts()) {
    const std::vector<float> features = DrawFeatures();
    std::vector<float> inputs = features;
    inputs.resize(inputs.size() + core::kNumContextInputs);
    core::EncodeContext(context.cost,
                        static_cast<float>(context.remaining),
                        context.steps_left,
                        std::span(inputs).last(core::kNumContextInputs));

    const core::switcher_network::Values actor = network.Evaluate(inputs, scratch);
    const core::switcher_network::Values learner = InLibTorch(inputs);

    ASSERT_NEAR(actor.return_value, learner.return_value, kTolerance);
    ASSERT_NEAR(actor.return_advantage, learner.return_advantage, kTolerance);
    ASSERT_NEAR(actor.calls_value, learner.calls_value, kTolerance);
    ASSERT_NEAR(actor.calls_advantage, learner.calls_advantage, kTolerance);
    ASSERT_NEAR(actor.disagreement, learner.disagreement, kTolerance);
    ASSERT_NEAR(actor.return_gain, learner.return_gain, kTolerance);
    ASSERT_NEAR(actor.calls_gain, learner.calls_gain, kTolerance);
    ASSERT_NEAR(actor.return_shadow, learner.return_shadow, kTolerance);
    ASSERT_NEAR(actor.calls_shadow, learner.calls_shadow, kTolerance);
    if (number++ % 16 != 0) continue;
    const auto table =  // In double precision, straight from the network's description.
        reference.Evaluate(features, context.cost, context.remaining, context.steps_left);
    ASSERT_NEAR(actor.return_advantage, table.return_advantage, kTolerance);
    ASSERT_NEAR(actor.calls_value, table.calls_value, kTolerance);
  }
}

TEST_P(SwitcherNetworkParity, ActorAndLearnerMakeTheSameGreedyChoice) {
  actors::MlpSwitcher switcher;
  switcher.Load(snapshot_);
  int activations = 0, choices = 0;
  for (const Context& context : AllContexts()) {
    const std::vector<float> features = DrawFeatures();
    std::vector<float> inputs = features;
    inputs.resize(inputs.size() + core::kNumContextInputs);
    core::EncodeContext(context.cost,
                        static_cast<float>(context.remaining),
                        context.steps_left,
                        std::span(inputs).last(core::kNumContextInputs));

    const core::SwitchChoice choice =
        switcher.Choose({.features = features,
                         .cost = context.cost,
                         .remaining = static_cast<float>(context.remaining),
                         .steps_left = context.steps_left});
    const core::switcher_network::Values learner = InLibTorch(inputs);

    const float advantage = learner.Advantage(context.cost);
    ASSERT_NEAR(choice.advantage, advantage, 3 * kTolerance);
    if (std::abs(advantage) > 3 * kTolerance) {
      ASSERT_EQ(choice.activate, learner.Activates(context.cost));
    }
    activations += choice.activate;
    ++choices;
  }
  EXPECT_GT(activations, choices / 100);  // Both choices occur.
  EXPECT_LT(activations, choices - choices / 100);
}

// The default network on a small LM's features, the smallest, widths that
// fill no vector, and one without disagreement.
INSTANTIATE_TEST_SUITE_P(Shapes,
                         SwitcherNetworkParity,
                         ::testing::Values(Case{240, 256, 3, 128},
                                           Case{1, 8, 1, 8},
                                           Case{53, 33, 2, 19},
                                           Case{304, 64, 1, 0}));

// The learner reads a batch's chains side by side, the actors an episode row by row.
TEST(MemoryParity, ActorAndLearnerRememberTheSame) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  for (const auto& [num_features, memory_width, window, disagreement_width] :
       {std::tuple{240, 64, 32, 128}, {1, 4, 1, 0}, {53, 33, 5, 19}}) {
    learner::DuelingNetwork network(
        {.num_inputs = num_features + memory_width + core::kNumContextInputs,
         .width = 64,
         .layers = 2,
         .disagreement_width = disagreement_width,
         .memory_width = memory_width},
        at::kCPU,
        /*gradient=*/false);
    network.Initialize(7);
    auto* values = network.flat().data_ptr<float>();
    for (std::int64_t i = 0; i < network.num_parameters(); ++i) values[i] += 0.05f * normal(random);
    auto snapshot = std::make_shared<core::WeightsSnapshot>();
    snapshot->architecture = std::string(core::switcher_network::kArchitecture);
    snapshot->arrays = network.ToArrays(network.flat(), "");
    snapshot->arrays.push_back({"memory.window", {1}, {static_cast<float>(window)}});
    actors::EpisodeNetwork actor;
    actor.Load(snapshot);
    const testing::SwitcherReference reference(*snapshot);

    // An episode of several windows: its rows are its states, in one batch.
    const int num_rows = 3 * window + 2;
    std::vector<std::vector<float>> episode;
    std::vector<std::int64_t> numbers;
    learner::MemoryChainMaker maker;
    for (int row = 0; row < num_rows; ++row) {
      std::vector<float>& features = episode.emplace_back(static_cast<std::size_t>(num_features));
      for (float& value : features) value = normal(random);
      numbers.push_back(row);
      const int start = core::switcher_network::MemoryStart(row, window);
      maker.Add(std::span(numbers).subspan(static_cast<std::size_t>(start)),
                start,
                std::span(numbers).last(1),
                window);
      maker.Want(static_cast<std::size_t>(row), 0);
    }
    learner::MemoryChains chains;
    maker.Finish(chains);
    const at::Tensor read =
        at::empty({static_cast<std::int64_t>(chains.rows.size()), num_features}, at::kFloat);
    auto* to = read.data_ptr<float>();
    for (const std::int64_t row : chains.rows)
      to = std::ranges::copy(episode[static_cast<std::size_t>(row)], to).out;
    const at::Tensor remembered = network.Remember(read, chains.num_running, nullptr);

    for (std::size_t row = 0; row < episode.size(); ++row) {
      const core::SwitcherInput input{
          .features = episode[row], .cost = 0.1f, .remaining = 3, .steps_left = 9};
      std::vector<float> inputs = episode[row];
      const auto* known = remembered.data_ptr<float>() + chains.places[row] * memory_width;
      inputs.insert(inputs.end(), known, known + memory_width);
      inputs.resize(inputs.size() + core::kNumContextInputs);
      core::EncodeContext(0.1f, 3, 9, std::span(inputs).last(core::kNumContextInputs));

      const core::switcher_network::Values of_actor = actor.Evaluate(input);
      const at::Tensor output = network.Evaluate(
          at::from_blob(inputs.data(), {1, static_cast<std::int64_t>(inputs.size())}, at::kFloat));
      const auto& of_learner =
          *reinterpret_cast<const core::switcher_network::Values*>(output.data_ptr<float>());

      ASSERT_NEAR(of_actor.return_value, of_learner.return_value, kTolerance) << row;
      ASSERT_NEAR(of_actor.return_advantage, of_learner.return_advantage, kTolerance);
      ASSERT_NEAR(of_actor.calls_value, of_learner.calls_value, kTolerance);
      ASSERT_NEAR(of_actor.calls_advantage, of_learner.calls_advantage, kTolerance);
      ASSERT_NEAR(of_actor.disagreement, of_learner.disagreement, kTolerance);
      const auto end = episode.begin() + static_cast<std::ptrdiff_t>(row) + 1;
      const auto table = reference.Evaluate(std::vector(episode.begin(), end), 0.1f, 3, 9);
      ASSERT_NEAR(of_actor.return_advantage, table.return_advantage, kTolerance);
      ASSERT_NEAR(of_actor.calls_value, table.calls_value, kTolerance);
    }
  }
}

TEST(PolicyNetworkParity, ActorAndLearnerSeeTheSameLogitInEveryContext) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  for (const auto& [num_features, width, layers] :
       {std::tuple{240, 256, 3}, {1, 8, 1}, {53, 33, 2}}) {
    const learner::Mlp learner(
        {.num_inputs = num_features + core::kNumContextInputs, .width = width, .layers = layers},
        std::string(core::policy_network::kHead),
        at::kCPU,
        /*gradient=*/false,
        7);
    auto* values = learner.flat().data_ptr<float>();
    for (std::int64_t i = 0; i < learner.flat().numel(); ++i) values[i] += 0.05f * normal(random);
    auto snapshot = std::make_shared<core::WeightsSnapshot>();
    snapshot->architecture = std::string(core::policy_network::kArchitecture);
    snapshot->arrays = learner.layout().ToArrays(learner.flat(), "");
    const actors::PolicyNetwork actor(snapshot);
    actors::PolicyNetwork::Scratch scratch;
    for (const Context& context : AllContexts()) {
      std::vector<float> inputs(static_cast<std::size_t>(num_features));
      for (float& value : inputs) value = normal(random);
      const std::vector<float> features = inputs;
      inputs.resize(inputs.size() + core::kNumContextInputs);
      core::EncodeContext(context.cost,
                          static_cast<float>(context.remaining),
                          context.steps_left,
                          std::span(inputs).last(core::kNumContextInputs));

      const float of_actor = actor.Evaluate({.features = features,
                                             .cost = context.cost,
                                             .remaining = static_cast<float>(context.remaining),
                                             .steps_left = context.steps_left},
                                            scratch);
      const at::Tensor of_learner = learner.Evaluate(
          at::from_blob(inputs.data(), {1, static_cast<std::int64_t>(inputs.size())}, at::kFloat));

      ASSERT_NEAR(of_actor, of_learner.item<float>(), kTolerance);
    }
  }
}

}  // namespace
}  // namespace londi
