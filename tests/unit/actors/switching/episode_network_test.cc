#include "actors/switching/episode_network.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "actors/switching/exploring_switcher.h"
#include "actors/switching/learned_switcher.h"
#include "core/error.h"
#include "tests/support/switcher_reference.h"
#include "tests/support/switcher_weights.h"

namespace londi::actors {
namespace {

using testing::SwitcherReference;
using testing::SwitcherShape;

constexpr SwitcherShape kShape{.num_features = 5, .memory_width = 6, .memory_window = 3};
using Rows = std::vector<std::vector<float>>;

std::shared_ptr<core::WeightsSnapshot> DrawWeights(std::uint64_t seed) {
  return testing::MakeRandomSwitcherWeights(kShape, seed, static_cast<std::int64_t>(seed));
}

Rows DrawRows(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Rows rows(static_cast<std::size_t>(count), std::vector<float>(5));
  for (auto& row : rows) {
    for (float& value : row) value = normal(random);
  }
  return rows;
}

core::SwitcherInput Input(const std::vector<float>& features) {
  return {.features = features, .cost = 0.1f, .remaining = 2, .steps_left = 9};
}

// What the table says about the last of an episode's `rows`.
double Advantage(const core::WeightsSnapshot& weights, const Rows& rows) {
  return SwitcherReference(weights).Evaluate(rows, 0.1f, 2, 9).Advantage(0.1f);
}
double Advantage(const core::WeightsSnapshot& weights, const Rows& rows, std::size_t step) {
  return Advantage(weights,
                   Rows(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(step) + 1));
}

TEST(EpisodeNetwork, RemembersAsTheTableSaysAndForgetsWithTheEpisode) {
  const auto weights = DrawWeights(1);
  EpisodeNetwork network;
  network.Load(weights);
  for (const std::uint64_t episode : {1, 2}) {
    network.StartEpisode();
    const Rows rows = DrawRows(17, episode);
    for (std::size_t step = 0; step < rows.size(); ++step) {
      const auto values = network.Evaluate(Input(rows[step]));
      ASSERT_NEAR(values.Advantage(0.1f), Advantage(*weights, rows, step), 1e-4) << step;
    }
  }
}

TEST(EpisodeNetwork, NewWeightsReadWhatOldOnesHaveReadAnew) {
  const auto weights = DrawWeights(2);
  EpisodeNetwork network;
  network.Load(DrawWeights(1));
  network.StartEpisode();
  const Rows rows = DrawRows(9, 3);
  for (std::size_t step = 0; step < rows.size(); ++step) {
    if (step == 8) network.Load(weights);
    const auto values = network.Evaluate(Input(rows[step]));
    if (step < 8) continue;
    EXPECT_NEAR(values.Advantage(0.1f), Advantage(*weights, rows, step), 1e-4);
  }
}

TEST(EpisodeNetwork, KeepsTheRowsThatCameBeforeTheFirstWeights) {
  const auto weights = DrawWeights(2);
  const Rows rows = DrawRows(9, 3);
  for (const std::size_t loaded : {1, 8}) {
    EpisodeNetwork network;
    network.StartEpisode();
    for (std::size_t step = 0; step < rows.size(); ++step) {
      if (step == loaded) network.Load(weights);
      const auto values = network.Evaluate(Input(rows[step]));
      if (step < loaded) continue;
      EXPECT_NEAR(values.Advantage(0.1f), Advantage(*weights, rows, step), 1e-4);
    }
  }
}

TEST(EpisodeNetwork, EpisodesThatAlternateDoNotMixWhereEachHasItsOwn) {
  const auto weights = DrawWeights(4);
  const Rows rows[2] = {DrawRows(8, 1), DrawRows(8, 2)};
  EpisodeNetwork networks[2];
  for (EpisodeNetwork& network : networks) network.Load(weights);
  for (std::size_t step = 0; step < 8; ++step) {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto values = networks[i].Evaluate(Input(rows[i][step]));
      EXPECT_NEAR(values.Advantage(0.1f), Advantage(*weights, rows[i], step), 1e-4);
    }
  }
}

TEST(EpisodeNetwork, RefusesFeaturesOfAnotherWidthBeforeItReadsThem) {
  EpisodeNetwork network;
  network.Load(DrawWeights(1));
  const std::vector<float> narrower(4), wider(6);

  EXPECT_THROW(network.Evaluate(Input(narrower)), core::ProtocolError);
  network.StartEpisode();
  EXPECT_THROW(network.Evaluate(Input(wider)), core::ProtocolError);
}

// Exploration and budgets decide otherwise; what is remembered is the same.
TEST(EpisodeNetwork, IsReadAlsoWhereSomebodyElseDecides) {
  const auto weights = DrawWeights(5);
  auto learned = std::make_unique<LearnedSwitcher>();
  LearnedSwitcher& inside = *learned;
  ExplorationOptions always{
      .always_quick = 0, .always_deepthink = 1, .random_rate = 0, .takeover = 0};
  ExploringSwitcher explorer(std::move(learned), always, 0.1, 1);
  explorer.Load(weights);
  for (const std::uint64_t episode : {1, 2}) {
    explorer.StartEpisode();
    const Rows rows = DrawRows(7, episode);
    for (std::size_t step = 0; step + 1 < rows.size(); ++step) {
      const core::SwitchChoice choice = explorer.Choose(Input(rows[step]));
      EXPECT_TRUE(choice.activate);
      EXPECT_NEAR(choice.advantage, Advantage(*weights, rows, step), 1e-4);
    }
    EXPECT_NEAR(inside.Choose(Input(rows.back())).advantage, Advantage(*weights, rows), 1e-4);
  }
}

}  // namespace
}  // namespace londi::actors
