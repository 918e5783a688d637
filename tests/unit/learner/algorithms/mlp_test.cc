#include "learner/algorithms/mlp.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

namespace londi::learner {
namespace {

Mlp MakeSmall(std::uint64_t seed = 1) {
  at::set_num_threads(1);  // More of them would wait for one another.
  return Mlp({.num_inputs = 5, .width = 8, .layers = 2, .num_outputs = 2},
             "values",
             at::kCPU,
             /*gradient=*/true,
             seed);
}

TEST(Mlp, ItsWeightsFollowTheSeedAndItsHeadIsZero) {
  const Mlp a = MakeSmall(1), same = MakeSmall(1), other = MakeSmall(2);

  EXPECT_TRUE(at::equal(a.flat(), same.flat()));
  EXPECT_FALSE(at::equal(a.flat(), other.flat()));
  EXPECT_TRUE(at::equal(a.Evaluate(at::ones({3, 5})), at::zeros({3, 2})));
  EXPECT_GT(a.flat().abs().max().item<float>(), 0);
}

// Many rows go through it in pieces.
TEST(Mlp, APassThatIsKeptSeesTheSameOutputs) {
  at::manual_seed(1);
  Mlp network = MakeSmall();
  network.flat().uniform_(-1, 1);
  const at::Tensor inputs = at::rand({600, 5});
  Mlp::Pass pass;
  network.Forward(inputs.narrow(0, 0, 7), pass);  // Of another size: its memory cannot be kept.

  network.Forward(inputs, pass);

  EXPECT_TRUE(at::allclose(network.Evaluate(inputs), pass.outputs, 1e-5, 1e-6));
  EXPECT_EQ(network.Evaluate(inputs.narrow(0, 0, 0)).size(0), 0);
}

TEST(Mlp, ItsGradientIsTheMeasuredSlope) {
  at::manual_seed(1);
  Mlp network = MakeSmall();
  network.flat().uniform_(0.1, 1);  // Every unit is alive.
  const at::Tensor inputs = at::rand({4, 5});
  const auto loss = [&] { return network.Evaluate(inputs).square().sum().item<double>(); };
  Mlp::Pass pass;

  network.Forward(inputs, pass);
  network.Backward(pass, 2 * pass.outputs);

  auto* values = network.flat().data_ptr<float>();
  const auto* gradient = network.flat_gradient().data_ptr<float>();
  for (std::int64_t i = 0; i < network.flat().numel(); i += 7) {
    const float before = values[i];
    values[i] = before + 1e-2f;
    const double above = loss();
    values[i] = before - 1e-2f;
    const double below = loss();
    values[i] = before;
    EXPECT_NEAR((above - below) / 2e-2, gradient[i], 0.05 * std::abs(gradient[i]) + 0.1) << i;
  }
}

}  // namespace
}  // namespace londi::learner
