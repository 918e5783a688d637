#include "inference/inference_server.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/support/background.h"
#include "tests/support/transport_support.h"
#include "transport/in_process.h"

namespace londi::inference {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kInnerNodes = 4;  // Of " a\n", " b\n", " c\n": the blank, a, b, c.

// Every byte is a token; a candidate's log-probability is minus its bytes' values / 100.
class ByteModel final : public ScoringModel {
 public:
  explicit ByteModel(std::function<void()> on_score) : on_score_(std::move(on_score)) {
    spec_.vocab_size = 256;
    spec_.max_positions = 64;
    spec_.hidden_size = 8;
    spec_.num_layers = 1;
  }

  const ModelSpec& spec() const override { return spec_; }
  std::int64_t CountNewTokens(const ScoringRequest& request) const override {
    return static_cast<std::int64_t>(request.prompt.size());
  }
  std::vector<ScoringResult> Score(std::span<const ScoringRequest> requests,
                                   const std::function<void()>& on_progress) override {
    batches.push_back(requests.size());
    if (on_score_) on_score_();
    if (on_progress) on_progress();
    std::vector<ScoringResult> results;
    for (const ScoringRequest& request : requests) {
      ScoringResult& result = results.emplace_back();
      for (const CandidateTrie::Node& node : request.trie->nodes())
        result.edge_log_probs.push_back(-static_cast<float>(node.token) / 100);
      result.features = {1, 2};
      result.computed_tokens = CountNewTokens(request);
    }
    return results;
  }

  std::vector<std::size_t> batches;  // Requests of each forward pass.

 private:
  ModelSpec spec_;
  const std::function<void()> on_score_;
};

// A clock that shows what the system's shows, `ahead`.
class AheadClock final : public core::Clock {
 public:
  explicit AheadClock(core::Duration ahead) : ahead_(ahead) {}
  core::TimePoint Now() const override { return std::chrono::steady_clock::now() + ahead_; }

 private:
  const core::Duration ahead_;
};

class InferenceServerTest : public ::testing::Test {
 protected:
  // `on_score` is called in each forward pass.
  void MakeServer(const ServerOptions& options,
                  std::function<void()> on_score = {},
                  core::Duration ahead = {}) {
    TokenizerParts tokenizer;
    for (int byte = 0; byte < 256; ++byte)
      tokenizer.model.vocab[std::string(1, static_cast<char>(byte))] = byte;
    auto model = std::make_unique<ByteModel>(std::move(on_score));
    model_ = model.get();
    scorer_ = std::make_unique<LmScorer>(std::move(tokenizer), std::move(model), "abcd");
    clock_ = std::make_unique<AheadClock>(ahead);
    server_ = std::make_unique<InferenceServer>(
        options,
        InferenceServer::Parts{
            channel_, *scorer_, metrics_, monitor::MakeNullLogger(), *clock_, on_progress_});
  }

  static core::LmRequest Ask(const std::string& prompt = "prompt") {
    return {.prompt = prompt, .candidates = {" b", " a", " c"}, .deadline = testing::Soon()};
  }

  // Requests that wait before the server looks at the first.
  using Answers = std::vector<std::future<core::Proposal>>;
  Answers AskAhead(int count, const std::string& prompt = "prompt") {
    Answers answers;
    for (int i = 0; i < count; ++i) {
      const std::size_t before = channel_.NumWaiting();
      answers.push_back(std::async(
          std::launch::async, [this, prompt] { return channel_.client().Propose(Ask(prompt)); }));
      while (channel_.NumWaiting() == before) std::this_thread::yield();
    }
    return answers;
  }

  // Runs the server until all answers are there.
  void ServeAll(const Answers& answers) {
    testing::Background run([this] { server_->Run(); });
    for (const auto& answer : answers) answer.wait();
    server_->RequestStop();
    run.Get();
  }

  double Requests(const std::string& outcome) const {
    return metrics_.Sum("londi_inference_requests_total", {{"outcome", outcome}});
  }

  std::function<void()> on_progress_;  // Of the server that MakeServer makes.
  transport::InProcessLmChannel channel_;
  monitor::Metrics metrics_;
  std::unique_ptr<AheadClock> clock_;
  std::unique_ptr<LmScorer> scorer_;
  ByteModel* model_ = nullptr;
  std::unique_ptr<InferenceServer> server_;
};

TEST_F(InferenceServerTest, AnswersWithTheBestCandidateItsPriceAndTheModel) {
  MakeServer({});
  Answers answers = AskAhead(1);
  ServeAll(answers);

  const core::Proposal proposal = answers[0].get();

  EXPECT_EQ(proposal.action, 1);  // " a"
  EXPECT_EQ(proposal.log_probs.size(), 3u);
  EXPECT_EQ(proposal.features, (std::vector<float>{1, 2}));
  EXPECT_EQ(proposal.model, "abcd");
  EXPECT_EQ(proposal.usage.prompt_tokens, 6);
  EXPECT_EQ(proposal.usage.computed_tokens, 6);
  EXPECT_EQ(proposal.usage.batch_size, 1);
  EXPECT_GT(proposal.usage.queue_ms, 0);
  EXPECT_EQ(server_->progress().answered, 1);
  EXPECT_EQ(server_->progress().batches, 1);
  EXPECT_EQ(server_->progress().tokens, 6);
}

TEST_F(InferenceServerTest, RefusesWhatNeedsMoreThanItMayBeforeComputingIt) {
  MakeServer({});
  const double flops = ScoringFlops(model_->spec(), 6, 1 + kInnerNodes);
  const auto most = static_cast<std::int64_t>(flops);
  const auto ask = [this](std::int64_t max_tokens, std::int64_t max_flops) {
    core::LmRequest request = Ask("prompt");  // 6 tokens.
    request.max_tokens = max_tokens;
    request.max_flops = max_flops;
    return std::async(std::launch::async,
                      [this, request] { return channel_.client().Propose(request); });
  };
  Answers answers;
  answers.push_back(ask(6, most));
  answers.push_back(ask(5, most));
  answers.push_back(ask(6, most - 1));
  answers.push_back(ask(6, core::LmRequest::kNoLimit));

  ServeAll(answers);

  EXPECT_EQ(answers[0].get().usage.computed_tokens, 6);
  EXPECT_THROW(answers[1].get(), core::OverBudgetError);
  EXPECT_THROW(answers[2].get(), core::OverBudgetError);
  EXPECT_EQ(answers[3].get().usage.computed_tokens, 6);
  EXPECT_EQ(Requests("over_budget"), 2);
  EXPECT_EQ(Requests("answered"), 2);
  std::size_t computed = 0;
  for (const std::size_t batch : model_->batches) computed += batch;
  EXPECT_EQ(computed, 2u);  // No forward pass for the others.
}

TEST_F(InferenceServerTest, ComputesWhatWaitsInBatchesWithinTheLimits) {
  MakeServer({.batching = {.max_requests = 3}});
  Answers answers = AskAhead(5);
  ServeAll(answers);

  EXPECT_EQ(model_->batches, (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(answers[0].get().usage.batch_size, 3);
  EXPECT_EQ(answers[4].get().usage.batch_size, 2);
  EXPECT_EQ(Requests("answered"), 5);
}

// A healthy worker was taken for a hung one, and killed again and again, when its first batch, of
// whole prompts, took longer than a lease.
TEST_F(InferenceServerTest, GivesSignsOfLifeWithinAForwardPass) {
  int within = 0;
  on_progress_ = [&] {
    const auto begun = static_cast<std::int64_t>(model_->batches.size());
    within += begun > server_->progress().batches ? 1 : 0;
  };
  MakeServer({});
  ServeAll(AskAhead(1));

  EXPECT_EQ(within, 1);
}

TEST_F(InferenceServerTest, ABatchHoldsNoMoreTokensThanAllowed) {
  MakeServer({.batching = {.max_tokens = 13}});  // A prompt has 6.
  Answers answers = AskAhead(3);
  ServeAll(answers);

  EXPECT_EQ(model_->batches, (std::vector<std::size_t>{2, 1}));
}

TEST_F(InferenceServerTest, RefusesForGoodWhatCanNeverBeAnsweredAndServesTheOthers) {
  MakeServer({});
  Answers answers = AskAhead(1, std::string(100, 'x'));  // 64 tokens are the most.
  for (auto& answer : AskAhead(1)) answers.push_back(std::move(answer));
  ServeAll(answers);

  try {
    answers[0].get();
    ADD_FAILURE();
  } catch (const core::UnavailableError&) {
    ADD_FAILURE() << "another worker could not answer either";
  } catch (const core::Error& error) {
    EXPECT_NE(error.text().why.find("64"), std::string::npos);
  }
  EXPECT_EQ(answers[1].get().action, 1);
  EXPECT_EQ(Requests("refused"), 1);
}

TEST_F(InferenceServerTest, RefusesMoreThanItsQueueHoldsSoThatOthersMayTakeIt) {
  MakeServer({.batching = {.max_queued_tokens = 15}});  // Two prompts.
  Answers answers = AskAhead(4);
  ServeAll(answers);

  EXPECT_NO_THROW(answers[0].get());
  EXPECT_NO_THROW(answers[1].get());
  EXPECT_THROW(answers[2].get(), core::UnavailableError);
  EXPECT_THROW(answers[3].get(), core::UnavailableError);
  EXPECT_EQ(metrics_.Sum("londi_inference_queued_tokens"), 0);
}

TEST_F(InferenceServerTest, DoesNotComputeWhatHasExpiredInItsQueue) {
  MakeServer({}, {}, std::chrono::hours(1));
  testing::Background run([this] { server_->Run(); });

  EXPECT_THROW(channel_.client().Propose(Ask()), core::UnavailableError);

  channel_.Close();
  run.Get();
  EXPECT_TRUE(model_->batches.empty());
  EXPECT_EQ(Requests("expired"), 1);
}

TEST_F(InferenceServerTest, AfterAStopWhatWasReceivedIsAnswered) {
  MakeServer({.batching = {.max_requests = 1}}, [this] { server_->RequestStop(); });
  Answers answers = AskAhead(3);

  server_->Run();

  for (auto& answer : answers) EXPECT_EQ(answer.get().action, 1);
  EXPECT_TRUE(channel_.IsClosed());
}

TEST_F(InferenceServerTest, WithoutTimeToDrainTheRestIsRefused) {
  MakeServer({.batching = {.max_requests = 1}, .drain = milliseconds(0)},
             [this] { server_->RequestStop(); });
  Answers answers = AskAhead(3);

  server_->Run();

  EXPECT_NO_THROW(answers[0].get());
  EXPECT_THROW(answers[1].get(), core::UnavailableError);
  EXPECT_THROW(answers[2].get(), core::UnavailableError);
}

TEST_F(InferenceServerTest, AModelThatFailsEndsTheServerAndLeavesNobodyWaiting) {
  MakeServer({.batching = {.max_requests = 2}},
             [] { throw core::ModelError({.what = "the weights are NaN"}); });
  Answers answers = AskAhead(3);

  EXPECT_THROW(server_->Run(), core::ModelError);

  for (auto& answer : answers) EXPECT_THROW(answer.get(), core::UnavailableError);
  EXPECT_TRUE(channel_.IsClosed());
}

TEST(ServerOptions, RefuseWhatCannotWork) {
  EXPECT_NO_THROW(ServerOptions{}.Validate());
  EXPECT_THROW((ServerOptions{.threads = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((ServerOptions{.drain = milliseconds(-1)}.Validate()), core::ConfigError);
  EXPECT_THROW((ServerOptions{.batching = {.max_requests = 0}}.Validate()), core::ConfigError);
}

}  // namespace
}  // namespace londi::inference
