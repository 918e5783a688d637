#include "actors/caching_language_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/support/fake_language_model.h"

namespace londi::actors {
namespace {

using testing::FakeLanguageModel;

core::LmRequest Ask(const std::string& prompt,
                    std::vector<std::string> candidates = {" a", " b"},
                    const std::string& terminator = "\n") {
  return {.prompt = prompt, .candidates = std::move(candidates), .terminator = terminator};
}

TEST(CachingLanguageModel, ARememberedAnswerIsTheOriginalWithItsUsage) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 10);

  const core::Proposal first = caching.Propose(Ask("p"));
  const core::Proposal again = caching.Propose(Ask("p"));

  EXPECT_EQ(lm.num_calls(), 1);
  EXPECT_EQ(caching.num_hits(), 1);
  EXPECT_EQ(caching.num_misses(), 1);
  EXPECT_EQ(again.action, first.action);
  EXPECT_EQ(again.log_probs, first.log_probs);
  EXPECT_EQ(again.features, first.features);
  EXPECT_EQ(again.model, first.model);
  EXPECT_EQ(again.usage.computed_tokens, 5);
  EXPECT_EQ(again.usage.flops, first.usage.flops);
  EXPECT_EQ(again.usage.compute_ms, first.usage.compute_ms);
  EXPECT_EQ(again.usage.batch_size, first.usage.batch_size);
}

// Token budgets were charged what the first policy had paid for the same prompt, which had the
// worker's cache warm.
TEST(CachingLanguageModel, ALimitedRequestIsAskedForWhatItCostsItself) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 10);
  caching.Propose(Ask("p"));
  core::LmRequest tokens = Ask("p"), flops = Ask("p");
  tokens.max_tokens = 5;
  flops.max_flops = 2'000'000;

  caching.Propose(tokens);
  caching.Propose(flops);
  caching.Propose(tokens);

  EXPECT_EQ(lm.num_calls(), 4);
  EXPECT_EQ(caching.num_hits(), 0);
}

TEST(CachingLanguageModel, SessionAndDeadlineDoNotMatter) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 10);
  core::LmRequest other = Ask("p");
  other.session = 99;
  other.deadline = core::TimePoint{};

  caching.Propose(Ask("p"));
  caching.Propose(other);

  EXPECT_EQ(lm.num_calls(), 1);
}

TEST(CachingLanguageModel, EverythingThatDecidesTheAnswerMatters) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 100);
  const std::vector<core::LmRequest> different = {Ask("p"),
                                                  Ask("q"),
                                                  Ask("p", {" b", " a"}),
                                                  Ask("p", {" a"}),
                                                  Ask("p", {" a b"}),
                                                  Ask("p", {" a", " b", "\n"}, ""),
                                                  Ask("p", {" a", " b"}, ""),
                                                  Ask("p a", {" b"}),
                                                  Ask("", {"p", " a", " b"})};

  for (const core::LmRequest& request : different) caching.Propose(request);

  EXPECT_EQ(lm.num_calls(), static_cast<std::int64_t>(different.size()));
}

TEST(CachingLanguageModel, ForgetsTheOldestBeyondItsCapacity) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 2);
  for (const char* prompt : {"1", "2", "3"}) caching.Propose(Ask(prompt));

  caching.Propose(Ask("2"));
  caching.Propose(Ask("3"));
  EXPECT_EQ(lm.num_calls(), 3);

  caching.Propose(Ask("1"));
  EXPECT_EQ(lm.num_calls(), 4);
}

TEST(CachingLanguageModel, WithoutCapacityEveryQuestionIsAsked) {
  FakeLanguageModel lm;
  CachingLanguageModel forgetful(lm, 0);

  for (int i = 0; i < 3; ++i) forgetful.Propose(Ask("p"));

  EXPECT_EQ(lm.num_calls(), 3);
  EXPECT_EQ(forgetful.num_hits(), 0);
}

TEST(CachingLanguageModel, AnotherModelEmptiesTheMemory) {
  std::string model = "old";
  FakeLanguageModel lm(
      [&](const core::LmRequest& request) { return FakeLanguageModel::Hashed(request, model); });
  CachingLanguageModel caching(lm, 10);
  caching.Propose(Ask("1"));
  model = "new";
  caching.Propose(Ask("2"));  // From here on it is known.

  EXPECT_EQ(caching.Propose(Ask("1")).model, "new");
}

TEST(CachingLanguageModel, AFailureIsNotRemembered) {
  bool there = false;
  FakeLanguageModel lm([&](const core::LmRequest& request) {
    if (!there) throw core::UnavailableError({.what = "no worker"});
    return FakeLanguageModel::Hashed(request, "m");
  });
  CachingLanguageModel caching(lm, 10);
  EXPECT_THROW(caching.Propose(Ask("1")), core::UnavailableError);
  there = true;

  EXPECT_NO_THROW(caching.Propose(Ask("1")));
}

TEST(CachingLanguageModel, ServesManyThreads) {
  FakeLanguageModel lm;
  CachingLanguageModel caching(lm, 8);  // Less than the prompts: entries come and go.
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int step = 0; step < 200; ++step) {
        const core::LmRequest request = Ask(std::to_string((i * 31 + step * 7) % 16));
        const core::Proposal expected = FakeLanguageModel::Hashed(request, "00000000000000aa");
        wrong += caching.Propose(request).log_probs != expected.log_probs;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(caching.num_hits() + caching.num_misses(), 800);
  EXPECT_EQ(caching.num_misses(), lm.num_calls());
}

}  // namespace
}  // namespace londi::actors
