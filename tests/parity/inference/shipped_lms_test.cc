// The LMs that the project ships, against what transformers computes from the same folders on
// transcripts of BabyAI-Text (generate.py shipped). fp32.
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "inference/load_lm.h"
#include "tests/parity/inference/golden_models.h"

namespace londi::inference {
namespace {

constexpr double kTolerance = 1e-3;  // nats; the bar of issue A.

class ShippedLm : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedLm, ScoresAsTransformersDoesAndChoosesTheSameActions) {
  const auto scorer =
      LoadLm(std::filesystem::path(LONDI_SHIPPED_LMS) / GetParam(), {.device = "cpu"});
  const auto expected = testing::ReadJson(std::filesystem::path(LONDI_GOLDEN) / "inference" /
                                          "shipped" / (GetParam() + ".json"));

  double largest = 0;
  ASSERT_GE(expected["cases"].size(), 20u);
  for (const auto& item : expected["cases"]) {
    auto prepared =
        scorer->Prepare({.prompt = item["prompt"],
                         .candidates = item["candidates"].get<std::vector<std::string>>(),
                         .terminator = item["terminator"]});
    ASSERT_TRUE(std::holds_alternative<PreparedRequest>(prepared));
    const core::Proposal proposal =
        scorer->Score({&std::get<PreparedRequest>(prepared), 1}).front();

    const auto log_probs = item["log_probs"].get<std::vector<double>>();
    ASSERT_EQ(proposal.log_probs.size(), log_probs.size());
    for (std::size_t i = 0; i < log_probs.size(); ++i) {
      EXPECT_NEAR(proposal.log_probs[i], log_probs[i], kTolerance) << item["prompt"];
      largest = std::max(largest, std::abs(proposal.log_probs[i] - log_probs[i]));
    }
    EXPECT_EQ(proposal.action,
              std::max_element(log_probs.begin(), log_probs.end()) - log_probs.begin());
    EXPECT_EQ(proposal.usage.prompt_tokens, static_cast<std::int64_t>(item["prompt_ids"].size()));
  }
  RecordProperty("largest_difference", std::to_string(largest));
}

INSTANTIATE_TEST_SUITE_P(Lms,
                         ShippedLm,
                         ::testing::Values("quick", "deepthink"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace londi::inference
