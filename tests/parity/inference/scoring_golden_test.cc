// Scores of our packed, cached forward pass against transformers' plain ones (generate.py), and
// against themselves in other company. fp32.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "inference/load_lm.h"
#include "tests/parity/inference/golden_models.h"

namespace londi::inference {
namespace {

using testing::GoldenModel;
using testing::GoldenModels;
using testing::ReadJson;

constexpr double kAgainstTransformers = 1e-3;  // The bar of issue A; measured: below 1e-4.
constexpr double kAgainstOurselves = 1e-4;     // Sums in another order.

class ScoringGolden : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<LmScorer> Load() const {
    return LoadLm(GoldenModel(GetParam()), {.device = "cpu"});
  }

  static core::LmRequest Request(const nlohmann::json& from, std::uint64_t session = 0) {
    return {.prompt = from["prompt"],
            .candidates = from["candidates"].get<std::vector<std::string>>(),
            .terminator = from["terminator"],
            .session = session};
  }

  static PreparedRequest Prepare(LmScorer& scorer, const core::LmRequest& request) {
    auto prepared = scorer.Prepare(request);
    if (const auto* error = std::get_if<core::ErrorText>(&prepared)) throw core::Error(*error);
    return std::get<PreparedRequest>(std::move(prepared));
  }

  static core::Proposal Propose(LmScorer& scorer, const core::LmRequest& request) {
    const PreparedRequest prepared = Prepare(scorer, request);
    return scorer.Score({&prepared, 1}).front();
  }

  static void ExpectNear(const std::vector<float>& actual,
                         const std::vector<float>& expected,
                         double tolerance) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_NEAR(actual[i], expected[i], tolerance) << "entry " << i;
    }
  }

  // Transcripts of growing length with candidates that share their beginnings.
  static core::LmRequest RandomRequest(std::mt19937& random, int words, std::uint64_t session) {
    static const std::vector<std::string> kWords = {
        "go", "to", "the", "red", "ball", "You", "see", "a", "wall", "3", "steps", "\n", ",", ":"};
    const auto text = [&](int count) {
      std::string joined;
      for (int i = 0; i < count; ++i) joined += " " + kWords[random() % kWords.size()];
      return joined;
    };
    core::LmRequest request{.prompt = "Goal:" + text(words), .session = session};
    const std::string shared = text(2);
    for (int i = 0; i < 5; ++i)
      request.candidates.push_back(shared + text(1 + static_cast<int>(random() % 3)));
    return request;
  }

  const nlohmann::json expected_ = ReadJson(GoldenModel(GetParam()) / "expected.json");
};

TEST_P(ScoringGolden, LogProbsAndFeaturesEqualTransformers) {
  const auto scorer = Load();

  for (const auto& expected : expected_["cases"]) {
    const core::Proposal proposal = Propose(*scorer, Request(expected));

    const auto log_probs = expected["log_probs"].get<std::vector<float>>();
    ExpectNear(proposal.log_probs, log_probs, kAgainstTransformers);
    EXPECT_EQ(proposal.action,
              std::max_element(log_probs.begin(), log_probs.end()) - log_probs.begin());
    ExpectNear(proposal.features, expected["features"].get<std::vector<float>>(), 1e-4);
    EXPECT_EQ(proposal.usage.prompt_tokens,
              static_cast<std::int64_t>(expected["prompt_ids"].size()));
    EXPECT_EQ(proposal.model, scorer->hash());
  }
}

TEST_P(ScoringGolden, RequestsOfOneBatchDoNotInfluenceEachOther) {
  const auto scorer = Load();
  std::vector<core::Proposal> alone;
  std::vector<PreparedRequest> batch;
  for (const auto& expected : expected_["cases"]) {
    alone.push_back(Propose(*scorer, Request(expected)));
    batch.push_back(Prepare(*scorer, Request(expected)));
  }

  const std::vector<core::Proposal> together = scorer->Score(batch);

  for (std::size_t i = 0; i < alone.size(); ++i) {
    ExpectNear(together[i].log_probs, alone[i].log_probs, kAgainstOurselves);
    ExpectNear(together[i].features, alone[i].features, kAgainstOurselves);
    EXPECT_EQ(together[i].usage.batch_size, static_cast<std::int32_t>(alone.size()));
  }
}

TEST_P(ScoringGolden, GivesSignsOfLifeInEveryLayer) {
  const auto scorer = Load();
  const PreparedRequest prepared = Prepare(*scorer, Request(expected_["cases"][0]));
  std::int64_t signs = 0;

  scorer->Score({&prepared, 1}, [&] { ++signs; });

  EXPECT_EQ(signs, scorer->spec().num_layers);
}

TEST_P(ScoringGolden, ReusedPromptsChangeNothingButTheWork) {
  const auto scorer = Load();
  std::mt19937 random(3);
  std::vector<core::LmRequest> sessions;
  for (std::uint64_t i = 1; i <= 4; ++i) sessions.push_back(RandomRequest(random, 5, i));

  for (int step = 0; step < 6; ++step) {
    std::vector<PreparedRequest> batch;
    std::vector<core::Proposal> uncached;
    for (core::LmRequest& request : sessions) {
      if (random() % 4 == 0) {  // A new episode, or a prompt that was cut.
        request.prompt = request.prompt.substr(0, request.prompt.size() / 2);
      } else {
        const core::LmRequest more = RandomRequest(random, 2, request.session);
        request.prompt += more.prompt;
        request.candidates = more.candidates;
      }
      core::LmRequest without_session = request;
      without_session.session = 0;
      uncached.push_back(Propose(*scorer, without_session));
      batch.push_back(Prepare(*scorer, request));
    }
    const std::vector<core::Proposal> cached = scorer->Score(batch);
    for (std::size_t i = 0; i < cached.size(); ++i) {
      ExpectNear(cached[i].log_probs, uncached[i].log_probs, kAgainstOurselves);
      ExpectNear(cached[i].features, uncached[i].features, kAgainstOurselves);
      EXPECT_EQ(cached[i].usage.computed_tokens, batch[i].new_tokens);
      EXPECT_LE(cached[i].usage.computed_tokens, uncached[i].usage.computed_tokens);
    }
  }
}

TEST_P(ScoringGolden, AskingAgainComputesOnlyTheLastPromptToken) {
  const auto scorer = Load();
  const core::LmRequest request{.prompt = "Goal: go to the red ball\nAction:",
                                .candidates = {"A", "B"},
                                .terminator = "",
                                .session = 9};

  const core::Proposal first = Propose(*scorer, request);
  const core::Proposal second = Propose(*scorer, request);

  EXPECT_EQ(first.usage.computed_tokens, first.usage.prompt_tokens);
  EXPECT_EQ(second.usage.computed_tokens, 1);  // Its candidates are leaves: nothing to compute.
  EXPECT_GT(first.usage.flops, 10 * second.usage.flops);
  ExpectNear(second.log_probs, first.log_probs, kAgainstOurselves);
}

TEST_P(ScoringGolden, PermutingCandidatesPermutesScores) {
  const auto scorer = Load();
  std::mt19937 random(17);
  core::LmRequest request = RandomRequest(random, 12, 0);
  request.candidates.push_back(request.candidates.front());  // A duplicate scores the same.
  const core::Proposal original = Propose(*scorer, request);
  EXPECT_EQ(original.log_probs.front(), original.log_probs.back());

  std::vector<std::size_t> order(request.candidates.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  core::LmRequest permuted = request;
  for (std::size_t i = 0; i < order.size(); ++i)
    permuted.candidates[i] = request.candidates[order[i]];
  const core::Proposal proposal = Propose(*scorer, permuted);

  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_NEAR(proposal.log_probs[i], original.log_probs[order[i]], kAgainstOurselves);
  }
}

// p(first token) over a complete set of one-byte continuations is at most 1.
TEST_P(ScoringGolden, ProbabilitiesOfDistinctContinuationsDoNotExceedOne) {
  const auto scorer = Load();
  core::LmRequest request{.prompt = "Action:", .terminator = ""};
  for (char c = '!'; c <= '~'; ++c) request.candidates.push_back(std::string(1, c));

  const core::Proposal proposal = Propose(*scorer, request);

  double sum = 0;
  for (const float log_prob : proposal.log_probs) sum += std::exp(log_prob);
  EXPECT_LE(sum, 1 + 1e-5);
  EXPECT_GT(sum, 0.01);
}

TEST_P(ScoringGolden, SessionTwiceInOneBatchIsServedTwice) {
  const auto scorer = Load();
  const core::LmRequest request{
      .prompt = "You see a wall", .candidates = {" 3", " red ball"}, .session = 5};
  const core::Proposal alone = Propose(*scorer, request);
  const std::vector<PreparedRequest> batch = {Prepare(*scorer, request), Prepare(*scorer, request)};

  for (const core::Proposal& proposal : scorer->Score(batch)) {
    ExpectNear(proposal.log_probs, alone.log_probs, kAgainstOurselves);
  }
}

INSTANTIATE_TEST_SUITE_P(Models,
                         ScoringGolden,
                         ::testing::ValuesIn(GoldenModels()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace londi::inference
