#include "learner/algorithms/gru.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace londi::learner {
namespace {

constexpr std::int64_t kWidth = 3, kInputs = 5;
// Chains of 4, 2, 2 and 1 rows.
const std::vector<std::int64_t> kRunning{4, 3, 1, 1};
constexpr std::int64_t kRows = 9;

GruWeights DrawWeights() {
  return {.input = {at::randn({3 * kWidth, kInputs}), at::randn({3 * kWidth})},
          .state = {at::randn({3 * kWidth, kWidth}), at::randn({3 * kWidth})}};
}

// LibTorch's own cell, row by row.
at::Tensor ByCells(const GruWeights& weights, const at::Tensor& inputs) {
  std::vector<at::Tensor> after;
  std::int64_t first = 0;
  for (const std::int64_t running : kRunning) {
    const at::Tensor before =
        first == 0 ? at::zeros({running, kWidth}) : after.back().narrow(0, 0, running);
    after.push_back(at::gru_cell(inputs.narrow(0, first, running),
                                 before,
                                 weights.input.weight,
                                 weights.state.weight,
                                 weights.input.bias,
                                 weights.state.bias));
    first += running;
  }
  return at::cat(after);
}

TEST(Gru, ReadsEachChainAsLibTorchsCellDoes) {
  at::manual_seed(1);
  const GruWeights weights = DrawWeights();
  const at::Tensor inputs = at::randn({kRows, kInputs});
  KeptGru kept;

  const at::Tensor expected = ByCells(weights, inputs);

  EXPECT_TRUE(at::allclose(ClimbGru(weights, inputs, kRunning, nullptr), expected, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(ClimbGru(weights, inputs, kRunning, &kept), expected, 1e-5, 1e-6));
  EXPECT_EQ(kept.before.narrow(0, 0, kRunning[0]).abs().max().item<float>(), 0);
}

// Backpropagation through all rows of a chain, also where only its last one counts.
TEST(Gru, ItsGradientIsThatOfLibTorchsAutograd) {
  at::manual_seed(2);
  GruWeights weights = DrawWeights();
  const at::Tensor inputs = at::randn({kRows, kInputs});
  for (const bool last_only : {false, true}) {
    at::Tensor counts = last_only ? at::zeros({kRows, kWidth}) : at::randn({kRows, kWidth});
    if (last_only) counts.narrow(0, kRows - 1, 1).fill_(1);
    const std::vector<at::Tensor> parameters{weights.input.weight.clone().requires_grad_(),
                                             weights.input.bias.clone().requires_grad_(),
                                             weights.state.weight.clone().requires_grad_(),
                                             weights.state.bias.clone().requires_grad_()};
    ByCells({.input = {parameters[0], parameters[1]}, .state = {parameters[2], parameters[3]}},
            inputs)
        .mul(counts)
        .sum()
        .backward();

    KeptGru kept;
    ClimbGru(weights, inputs, kRunning, &kept);
    const GruWeights gradient = DrawWeights();
    DescendGru(weights, kept, kRunning, counts, gradient);

    const at::Tensor found[] = {
        gradient.input.weight, gradient.input.bias, gradient.state.weight, gradient.state.bias};
    for (std::size_t i = 0; i < parameters.size(); ++i)
      EXPECT_TRUE(at::allclose(found[i], parameters[i].grad(), 1e-4, 1e-5)) << i << last_only;
  }
}

}  // namespace
}  // namespace londi::learner
