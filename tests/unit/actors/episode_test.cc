#include "actors/episode.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/switching/rules.h"
#include "actors/switching/threshold_switcher.h"
#include "core/error.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/fake_switcher.h"

namespace londi::actors {
namespace {

using std::chrono::milliseconds;
using testing::CountingEnvironment;
using testing::CountingLm;
using testing::FakeClock;
using testing::FakeLanguageModel;
using testing::FakeSwitcher;

// Follows an episode and leaves it after `most` steps.
class Recorder final : public EpisodeObserver {
 public:
  explicit Recorder(int most = 1000) : most_(most) {}
  bool AfterStep(const StepRecord& record) override {
    steps.push_back({record.step,
                     record.steps_left,
                     record.remaining,
                     record.decision.choice.activate,
                     record.reward,
                     record.terminated,
                     record.truncated,
                     record.env_time});
    return static_cast<int>(steps.size()) < most_;
  }

  struct Step {
    int step, steps_left, remaining;
    bool activated;
    float reward;
    bool terminated, truncated;
    core::Duration env_time;
  };
  std::vector<Step> steps;

 private:
  const int most_;
};

// Never ends by itself; truncates after `limit` steps, each of which takes 3 ms and gives 0.5.
class Treadmill final : public core::Environment {
 public:
  Treadmill(FakeClock& clock, int limit) : clock_(clock), limit_(limit) {}
  core::Observation Reset(std::uint64_t) override {
    step_ = 0;
    return {.mission = "run", .sentences = {"0"}};
  }
  core::StepResult Step(std::string_view) override {
    clock_.Advance(milliseconds(3));
    ++step_;
    return {.observation = {.mission = "run", .sentences = {std::to_string(step_)}},
            .reward = 0.5,
            .truncated = step_ == limit_};
  }
  std::vector<std::string> AdmissibleActions() const override { return {"on"}; }
  int MaxSteps() const override { return limit_; }
  std::string Kind() const override { return "treadmill"; }
  std::unique_ptr<core::Environment> Clone() const override { return nullptr; }

 private:
  FakeClock& clock_;
  const int limit_;
  int step_ = 0;
};

class RunEpisodeTest : public ::testing::Test {
 protected:
  EpisodeResult Run(core::Switcher& switcher,
                    std::uint64_t seed,
                    EpisodeTerms terms,
                    EpisodeObserver& observer) {
    DecisionMaker maker(quick_, deepthink_, switcher, clock_, milliseconds(50));
    return RunEpisode(world_, maker, {.seed = seed, .terms = terms}, clock_, observer);
  }

  FakeClock clock_;
  CountingEnvironment world_;
  CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
};

TEST_F(RunEpisodeTest, CountsExactlyTheCallsThatWereMade) {
  ThresholdSwitcher at_riddles(Entropy, 0.4);
  int calls = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Recorder recorder;

    const EpisodeResult result = Run(at_riddles, seed, {}, recorder);

    int activated = 0;
    std::vector<std::int32_t> call_steps;
    for (std::size_t i = 0; i < recorder.steps.size(); ++i) {
      if (!recorder.steps[i].activated) continue;
      ++activated;
      call_steps.push_back(static_cast<std::int32_t>(i));
    }
    EXPECT_EQ(result.call_steps, call_steps);
    EXPECT_TRUE(result.finished && result.success);  // DEEPTHINK knows all riddles.
    EXPECT_EQ(result.steps, CountingEnvironment::kSteps);
    EXPECT_EQ(result.calls, activated);
    EXPECT_EQ(result.changed_steps, call_steps);  // QUICK is wrong at every one.
    EXPECT_EQ(result.call_disagreements, std::vector<float>(call_steps.size(), 1));
    EXPECT_EQ(result.quick.tokens, 4 * result.steps);
    EXPECT_EQ(result.deepthink.tokens, 4 * result.calls);
    EXPECT_DOUBLE_EQ(result.deepthink.gflops, 1e-3 * result.calls);
    EXPECT_EQ(result.kind, "counting");
    calls += activated;
  }
  EXPECT_NEAR(calls / 30.0, 2, 0.7);  // A quarter of 8 steps are riddles.
}

TEST_F(RunEpisodeTest, FailsWhereQuickIsFooledAndTheBudgetIsSpent) {
  ThresholdSwitcher at_riddles(Entropy, 0.4);
  Recorder free_recorder, bound_recorder;
  std::uint64_t seed = 0;
  while (Run(at_riddles, seed, {}, free_recorder).calls < 2) ++seed;

  const EpisodeResult result = Run(at_riddles, seed, {.budget = 1}, bound_recorder);

  EXPECT_TRUE(result.finished);
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.calls, 1);
  EXPECT_EQ(result.total_reward, 0);
  EXPECT_TRUE(bound_recorder.steps.back().terminated);
}

TEST_F(RunEpisodeTest, RecordsEachStepWithWhatIsLeft) {
  AlwaysSwitcher always;
  Recorder recorder;

  Run(always, 3, {.budget = 2}, recorder);

  ASSERT_GE(recorder.steps.size(), 3u);
  for (std::size_t i = 0; i < recorder.steps.size(); ++i) {
    const auto& step = recorder.steps[i];
    EXPECT_EQ(step.step, static_cast<int>(i));
    EXPECT_EQ(step.steps_left, CountingEnvironment::kSteps - static_cast<int>(i));
    EXPECT_EQ(step.remaining, std::max(2 - static_cast<int>(i), 0));
    EXPECT_EQ(step.activated, i < 2);
  }
}

TEST_F(RunEpisodeTest, LeavesWhenTheObserverSaysSo) {
  AlwaysSwitcher always;
  Recorder recorder(3);

  const EpisodeResult left_after = Run(always, 3, {}, recorder);

  EXPECT_EQ(left_after.steps, 3);
  EXPECT_FALSE(left_after.finished);
  EXPECT_FALSE(left_after.success);

  class Unwilling final : public EpisodeObserver {
    bool BeforeDecision() override { return false; }
  } unwilling;
  EXPECT_EQ(Run(always, 3, {}, unwilling).steps, 0);
}

TEST_F(RunEpisodeTest, TheStepLimitIsNoSuccessAndTimesAddUp) {
  Treadmill treadmill(clock_, 5);
  FakeLanguageModel slow([this](const core::LmRequest& request) {
    clock_.Advance(milliseconds(10));
    return FakeLanguageModel::Choosing(request, 0);
  });
  FakeSwitcher never(false);
  DecisionMaker maker(slow, slow, never, clock_, milliseconds(50));
  Recorder recorder;

  const EpisodeResult result = RunEpisode(treadmill, maker, {}, clock_, recorder);

  EXPECT_TRUE(result.finished);
  EXPECT_FALSE(result.success);
  EXPECT_DOUBLE_EQ(result.total_reward, 2.5);
  EXPECT_TRUE(recorder.steps.back().truncated);
  EXPECT_EQ(recorder.steps.front().env_time, milliseconds(3));
  EXPECT_EQ(result.env_time, milliseconds(15));
  EXPECT_EQ(result.total_time, milliseconds(65));
  EXPECT_DOUBLE_EQ(result.quick.compute_ms, 5 * 1.5);  // 3 ms, shared by 2 requests.
}

TEST_F(RunEpisodeTest, EachPromptContinuesTheOneBefore) {
  Treadmill treadmill(clock_, 6);
  std::vector<std::string> prompts;
  FakeLanguageModel quick([&](const core::LmRequest& request) {
    prompts.push_back(request.prompt);
    return FakeLanguageModel::Choosing(request, 0);
  });
  FakeSwitcher never(false);
  DecisionMaker maker(quick, quick, never, clock_, milliseconds(50));
  Recorder recorder;

  RunEpisode(treadmill, maker, {}, clock_, recorder);

  ASSERT_EQ(prompts.size(), 6u);
  EXPECT_EQ(prompts[0], "Goal: run\nObservation: 0\nAction:");
  for (std::size_t i = 1; i < prompts.size(); ++i) {
    EXPECT_TRUE(prompts[i].starts_with(prompts[i - 1] + " on\n")) << prompts[i];
  }
}

TEST_F(RunEpisodeTest, WhatAnLmThrowsComesOutAndTheRowsBeforeStand) {
  Treadmill treadmill(clock_, 6);
  int asked = 0;
  FakeLanguageModel quick([&](const core::LmRequest& request) {
    if (++asked == 3) throw core::UnavailableError({.what = "no worker"});
    return FakeLanguageModel::Choosing(request, 0);
  });
  FakeSwitcher never(false);
  DecisionMaker maker(quick, quick, never, clock_, milliseconds(50));
  Recorder recorder;

  EXPECT_THROW(RunEpisode(treadmill, maker, {}, clock_, recorder), core::UnavailableError);

  EXPECT_EQ(recorder.steps.size(), 2u);
}

}  // namespace
}  // namespace londi::actors
