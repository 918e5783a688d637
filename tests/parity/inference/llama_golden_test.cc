// Our forward pass against transformers' (generate.py), fp32.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "inference/models/llama.h"
#include "tests/parity/inference/golden_models.h"

namespace londi::inference {
namespace {

using testing::GoldenModel;
using testing::GoldenModels;
using testing::ReadJson;

class LlamaGolden : public ::testing::TestWithParam<std::string> {
 protected:
  const LlamaWeights weights_ = LoadLlama(GoldenModel(GetParam()), at::kCPU);
  const nlohmann::json expected_ = ReadJson(GoldenModel(GetParam()) / "expected.json");

  at::Tensor TokenIds() const {
    return at::tensor(expected_["logits"]["token_ids"].get<std::vector<std::int64_t>>(), at::kLong);
  }
};

TEST_P(LlamaGolden, LogitsEqualTransformers) {
  const auto rows = expected_["logits"]["rows"].get<std::vector<std::int64_t>>();
  const at::NoGradGuard no_grad;

  const at::Tensor hidden = LlamaHiddenOfSequences(weights_, TokenIds(), {TokenIds().size(0)});
  const at::Tensor logits = LlamaLogits(weights_, hidden.index_select(0, at::tensor(rows)));

  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto values = expected_["logits"]["values"][i].get<std::vector<float>>();
    const double difference =
        (logits[static_cast<std::int64_t>(i)] - at::tensor(values)).abs().max().item<double>();
    EXPECT_LE(difference, 2e-4) << "row " << rows[i];
  }
}

// What training packs must not change what a sequence computes.
TEST_P(LlamaGolden, PackedSequencesDoNotSeeEachOther) {
  const at::NoGradGuard no_grad;
  const at::Tensor ids = TokenIds();
  const at::Tensor other = at::arange(17, at::kLong) + 5;

  const at::Tensor alone = LlamaHiddenOfSequences(weights_, ids, {ids.size(0)});
  const at::Tensor packed =
      LlamaHiddenOfSequences(weights_, at::cat({other, ids, other}), {17, ids.size(0), 17});

  EXPECT_LE((packed.narrow(0, 17, ids.size(0)) - alone).abs().max().item<double>(), 1e-5);
}

TEST_P(LlamaGolden, GradientsReachEveryParameter) {
  LlamaWeights weights = LoadLlama(GoldenModel(GetParam()), at::kCPU);
  for (at::Tensor& parameter : LlamaParameters(weights)) parameter.requires_grad_();

  const at::Tensor hidden = LlamaHiddenOfSequences(weights, TokenIds(), {25, 15});
  at::log_softmax(LlamaLogits(weights, hidden), 1).select(1, 3).sum().backward();

  for (const at::Tensor& parameter : LlamaParameters(weights)) {
    ASSERT_TRUE(parameter.grad().defined());
    EXPECT_GT(parameter.grad().abs().sum().item<double>(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Models,
                         LlamaGolden,
                         ::testing::ValuesIn(GoldenModels()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace londi::inference
