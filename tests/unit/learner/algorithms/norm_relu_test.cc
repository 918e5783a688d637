#include "learner/algorithms/norm_relu.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/switcher_network.h"

namespace londi::learner {
namespace {

// fp32 sums in another order, of values around 1.
constexpr double kTolerance = 2e-5;

// Widths that fill vectors, that leave a rest, and that fill none.
class NormReluOf : public ::testing::TestWithParam<std::int64_t> {
 protected:
  NormReluOf() {
    at::set_num_threads(1);
    at::manual_seed(1);
    const std::int64_t width = GetParam();
    weights_ = {at::randn({width}), at::randn({width}), at::randn({width})};
    product_ = at::randn({kRows, width}) * 3 + 1;
  }

  static bool Near(const at::Tensor& a, const at::Tensor& b) {
    return at::allclose(a, b, kTolerance, kTolerance);
  }

  static constexpr std::int64_t kRows = 9;
  NormReluWeights weights_;
  at::Tensor product_;
};

TEST_P(NormReluOf, IsLayerNormAndReluOfTheBiasedProduct) {
  const at::Tensor expected = at::relu(at::layer_norm(product_ + weights_.bias,
                                                      {GetParam()},
                                                      weights_.scale,
                                                      weights_.shift,
                                                      core::switcher_network::kLayerNormEpsilon));
  const at::Tensor in_place = product_.clone(), hidden = at::empty_like(product_);

  NormReluInPlace(weights_, in_place);
  NormRelu(weights_, product_, hidden, at::empty({kRows}));

  EXPECT_TRUE(Near(in_place, expected));
  EXPECT_TRUE(Near(hidden, expected));
}

TEST_P(NormReluOf, ItsGradientsAreThoseOfLibTorch) {
  at::Tensor product = product_.clone().requires_grad_(true);
  for (at::Tensor* weight : {&weights_.bias, &weights_.scale, &weights_.shift})
    weight->requires_grad_(true);
  at::relu(at::layer_norm(product + weights_.bias,
                          {GetParam()},
                          weights_.scale,
                          weights_.shift,
                          core::switcher_network::kLayerNormEpsilon))
      .backward(at::ones_like(product_) + product_);
  const at::Tensor gradient = at::ones_like(product_) + product_;
  const at::Tensor hidden = at::empty_like(product_), inverse = at::empty({kRows});
  const NormReluWeights detached{
      weights_.bias.detach(), weights_.scale.detach(), weights_.shift.detach()};
  // What is overwritten, not added to.
  const NormReluWeights out{at::ones({GetParam()}), at::ones({GetParam()}), at::ones({GetParam()})};

  NormRelu(detached, product_, hidden, inverse);
  NormReluBackward(detached, product_, hidden, inverse, gradient, out);

  EXPECT_TRUE(Near(gradient, product.grad()));
  EXPECT_TRUE(Near(out.bias, weights_.bias.grad()));
  EXPECT_TRUE(Near(out.scale, weights_.scale.grad()));
  EXPECT_TRUE(Near(out.shift, weights_.shift.grad()));
}

TEST_P(NormReluOf, ANanIsNotHidden) {
  product_.index_put_({at::indexing::TensorIndex(3), at::indexing::TensorIndex(0)},
                      std::numeric_limits<float>::quiet_NaN());

  NormReluInPlace(weights_, product_);

  EXPECT_TRUE(product_.isnan().select(0, 3).all().item<bool>());
  EXPECT_FALSE(product_.isnan().select(0, 4).any().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Widths, NormReluOf, ::testing::Values(256, 33, 16, 8));

}  // namespace
}  // namespace londi::learner
