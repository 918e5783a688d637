#include "learner/algorithms/dueling_network.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/switcher.h"

namespace londi::learner {
namespace {

constexpr DuelingNetwork::Shape kShape{
    .num_inputs = 19, .width = 8, .layers = 2, .disagreement_width = 8};

DuelingNetwork MakeNetwork(std::uint64_t seed, bool gradient = false) {
  at::set_num_threads(1);  // More of them would wait for one another.
  DuelingNetwork network(kShape, at::kCPU, gradient);
  network.Initialize(seed);
  return network;
}

TEST(DuelingNetwork, ItsInitialWeightsFollowTheSeedAndItsHeadsAreZero) {
  const DuelingNetwork a = MakeNetwork(1), same = MakeNetwork(1), other = MakeNetwork(2);

  EXPECT_TRUE(at::equal(a.flat(), same.flat()));
  EXPECT_FALSE(at::equal(a.flat(), other.flat()));
  const at::Tensor values = a.Evaluate(at::ones({3, 19}));
  at::Tensor expected = at::zeros({3, DuelingNetwork::kNumValues});
  expected.select(1, 3).fill_(1);     // A_N: the activation itself.
  expected.select(1, 4).fill_(0.5f);  // d
  expected.select(1, 6).fill_(1);     // G_N + 1
  EXPECT_TRUE(at::equal(values, expected));
  EXPECT_LE(a.flat().abs().max().item<float>(), 1);
}

TEST(DuelingNetwork, NamedArraysAndTheFlatTensorAreTheSame) {
  const DuelingNetwork a = MakeNetwork(1);
  DuelingNetwork b = MakeNetwork(2);

  b.FromArrays(a.ToArrays(a.flat(), "x."), "x.", b.flat());

  EXPECT_TRUE(at::equal(a.flat(), b.flat()));
  std::size_t size = 0;
  for (const core::NamedArray& array : a.ToArrays(a.flat(), "")) size += array.values.size();
  EXPECT_EQ(static_cast<std::int64_t>(size), a.num_parameters());
}

TEST(DuelingNetwork, RefusesArraysThatAreMissingOrOfAnotherShapeAndStaysAsItWas) {
  const DuelingNetwork network = MakeNetwork(1);
  const at::Tensor before = network.flat().clone();
  std::vector<core::NamedArray> missing = network.ToArrays(network.flat(), "");
  missing[0].values.assign(missing[0].values.size(), 9);
  missing.pop_back();
  std::vector<core::NamedArray> misshapen = network.ToArrays(network.flat(), "");
  misshapen[0].shape = {19, 8};

  EXPECT_THROW(network.FromArrays(missing, "", network.flat()), core::ModelError);
  EXPECT_THROW(network.FromArrays(misshapen, "", network.flat()), core::ModelError);
  EXPECT_THROW(network.FromArrays({}, "online.", network.flat()), core::ModelError);

  EXPECT_TRUE(at::equal(network.flat(), before));
}

// Many rows go through it in pieces.
TEST(DuelingNetwork, APassThatIsKeptSeesTheSameValues) {
  at::manual_seed(1);
  DuelingNetwork network = MakeNetwork(3, /*gradient=*/true);
  network.flat().uniform_(-1, 1);
  const at::Tensor inputs = at::rand({600, 19});
  DuelingNetwork::Pass pass;
  network.Forward(inputs.narrow(0, 0, 7), pass);  // Of another size: its memory cannot be kept.

  network.Forward(inputs, pass);

  EXPECT_TRUE(at::allclose(network.Evaluate(inputs), pass.values, 1e-5, 1e-6));
  EXPECT_EQ(network.Evaluate(inputs.narrow(0, 0, 0)).size(0), 0);
}

// The slope that Backward left for each of `parameters` is the one that is measured.
void ExpectSlopes(DuelingNetwork& network,
                  const std::function<at::Tensor()>& loss_at,
                  const std::vector<std::int64_t>& parameters) {
  auto* values = network.flat().data_ptr<float>();
  const auto* gradient = network.flat_gradient().data_ptr<float>();
  for (const std::int64_t i : parameters) {
    const float before = values[i];
    values[i] = before + 1e-2f;
    const double above = loss_at().item<double>();
    values[i] = before - 1e-2f;
    const double below = loss_at().item<double>();
    values[i] = before;
    const double slope = gradient[i];
    EXPECT_NEAR((above - below) / 2e-2, slope, 0.05 * std::abs(slope) + 0.1) << i;
  }
}

// Parameters of trunk and heads come first.
constexpr std::int64_t kFirstOfDisagreement = 334;

TEST(DuelingNetwork, TheHeadsTeachTrunkAndHeadsAndNotWhereTheLmsDisagree) {
  at::manual_seed(1);
  DuelingNetwork network = MakeNetwork(3, /*gradient=*/true);
  network.flat().uniform_(0.1, 1);  // Every unit is alive.
  const at::Tensor inputs = at::rand({5, 19});
  const auto loss_at = [&] { return network.Evaluate(inputs).square().sum(); };
  DuelingNetwork::Pass pass;

  network.Forward(inputs, pass);
  network.Backward(pass, 2 * pass.values, at::zeros({5}));

  const at::Tensor& gradient = network.flat_gradient();
  EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
  ExpectSlopes(network, loss_at, {0, 150, 160, 200, 290, 330, kFirstOfDisagreement - 1});
  const at::Tensor rest =
      gradient.narrow(0, kFirstOfDisagreement, network.num_parameters() - kFirstOfDisagreement);
  EXPECT_EQ(rest.abs().max().item<float>(), 0);
}

TEST(DuelingNetwork, TheDisagreementTowerLearnsFromTheFeaturesAlone) {
  at::manual_seed(1);
  DuelingNetwork network = MakeNetwork(3, /*gradient=*/true);
  network.flat().uniform_(0.1, 1);
  at::Tensor inputs = at::rand({5, 19});
  DuelingNetwork::Pass pass;
  const auto loss_at = [&] {
    network.Forward(inputs, pass);
    return pass.disagreement_logits.square().sum();
  };

  loss_at();
  network.Backward(pass, at::zeros_like(pass.values), 2 * pass.disagreement_logits);

  const at::Tensor& gradient = network.flat_gradient();
  ExpectSlopes(network,
               loss_at,
               {kFirstOfDisagreement,
                kFirstOfDisagreement + 46,
                kFirstOfDisagreement + 66,
                network.num_parameters() - 1});
  EXPECT_EQ(gradient.narrow(0, 0, kFirstOfDisagreement).abs().max().item<float>(), 0);
  const double before = loss_at().item<double>();
  inputs.narrow(1, 4, core::kNumContextInputs).add_(1);
  EXPECT_EQ(loss_at().item<double>(), before);
}

TEST(DuelingNetwork, WithBranchingOnlyTheGainsOwnErrorsTeachThem) {
  using core::switcher_network::Values;
  const auto slope_of_gain = [](bool branching, std::size_t value) {
    at::manual_seed(1);
    DuelingNetwork network({.num_inputs = 19,
                            .width = 8,
                            .layers = 2,
                            .disagreement_width = 8,
                            .branching = branching},
                           at::kCPU,
                           /*gradient=*/true);
    network.flat().uniform_(0.1, 1);
    DuelingNetwork::Pass pass;
    network.Forward(at::rand({5, 19}), pass);
    const at::Tensor gradient = at::zeros_like(pass.values);
    gradient.select(1, static_cast<std::int64_t>(value / sizeof(float))).fill_(1);
    network.Backward(pass, gradient, at::zeros({5}));
    for (const core::NamedArray& array : network.ToArrays(network.flat_gradient(), "")) {
      if (array.name == "return.gain.bias") return array.values[0];
    }
    return -1.0f;
  };
  EXPECT_GT(slope_of_gain(false, offsetof(Values, return_advantage)), 0);
  EXPECT_EQ(slope_of_gain(true, offsetof(Values, return_advantage)), 0);
  EXPECT_EQ(slope_of_gain(true, offsetof(Values, return_gain)), 5);
}

// Values and logits alike say what should have been remembered; the tower reads it, too.
TEST(DuelingNetwork, TheMemoryLearnsFromTheValuesAndFromWhereTheLmsDisagree) {
  at::manual_seed(1);
  at::set_num_threads(1);
  constexpr int kFeatures = 3, kMemory = 4;
  DuelingNetwork network({.num_inputs = kFeatures + kMemory + core::kNumContextInputs,
                          .width = 8,
                          .layers = 2,
                          .disagreement_width = 8,
                          .memory_width = kMemory},
                         at::kCPU,
                         /*gradient=*/true);
  network.flat().uniform_(-1, 1);
  const std::vector<std::int64_t> running{2, 2, 1};
  const at::Tensor read = at::rand({5, kFeatures}), features = at::rand({5, kFeatures});
  const at::Tensor context = at::rand({5, core::kNumContextInputs});
  const std::int64_t of_memory = network.num_parameters() - 3 * kMemory * (kFeatures + kMemory + 2);
  std::vector<std::int64_t> parameters;
  for (std::int64_t i = of_memory; i < network.num_parameters(); i += 7) parameters.push_back(i);
  for (const bool by_values : {true, false}) {
    DuelingNetwork::Pass pass;
    KeptGru kept;
    const auto loss_at = [&] {
      const at::Tensor known = network.Remember(read, running, &kept);
      network.Forward(at::cat({features, known, context}, 1), pass);
      // Of the values those that d does not touch: what it is taught has nothing to do with them.
      return by_values ? pass.values.select(1, 0).square().sum()
                       : pass.disagreement_logits.square().sum();
    };

    loss_at();
    const at::Tensor of_values = at::zeros_like(pass.values);
    if (by_values) of_values.select(1, 0).copy_(2 * pass.values.select(1, 0));
    const at::Tensor of_logits =
        by_values ? at::zeros({5}) : at::Tensor(2 * pass.disagreement_logits);
    network.BackwardMemory(kept, running, network.Backward(pass, of_values, of_logits));

    const auto* gradient = network.flat_gradient().data_ptr<float>();
    auto* values = network.flat().data_ptr<float>();
    double steepest = 0;
    for (const std::int64_t i : parameters)
      steepest = std::max(steepest, std::abs(static_cast<double>(gradient[i])));
    for (const std::int64_t i : parameters) {
      const float before = values[i];
      values[i] = before + 1e-3f;
      const double above = loss_at().item<double>();
      values[i] = before - 1e-3f;
      const double below = loss_at().item<double>();
      values[i] = before;
      const double slope = gradient[i];
      EXPECT_NEAR((above - below) / 2e-3, slope, 0.1 * steepest) << i << by_values;
    }
    EXPECT_GT(steepest, 0.02);
  }
}

}  // namespace
}  // namespace londi::learner
