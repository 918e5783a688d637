#include "actors/boundaries.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "core/error.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_clock.h"
#include "tests/support/recording_environment.h"
#include "tests/support/refuses.h"

namespace londi::actors {
namespace {

using testing::CountingEnvironment;
using testing::CountingLm;

TEST(TaskBoundaries, SayHowHardATaskIs) {
  const auto difficulty = [](bool quick, bool deepthink) {
    return TaskBoundaries{.quick = {.success = quick}, .deepthink = {.success = deepthink}}
        .difficulty();
  };
  EXPECT_EQ(difficulty(true, true), Difficulty::kEasy);
  EXPECT_EQ(difficulty(true, false), Difficulty::kEasy);
  EXPECT_EQ(difficulty(false, true), Difficulty::kHard);
  EXPECT_EQ(difficulty(false, false), Difficulty::kLost);
}

TEST(TaskBoundaries, TheReferenceIsWhatTheBetterOneIsWorthCallsIncluded) {
  EXPECT_EQ((TaskBoundaries{.quick = {true, 1}, .deepthink = {true, 0.4}}).reference(), 1);
  EXPECT_EQ((TaskBoundaries{.quick = {false, 0}, .deepthink = {true, 0.4}}).reference(), 0.4);
  // DEEPTHINK succeeds, but not for what it costs.
  EXPECT_EQ((TaskBoundaries{.quick = {false, 0}, .deepthink = {true, -0.6}}).reference(), 0);
}

class BoundaryPlayerTest : public ::testing::Test {
 protected:
  // Remembers both episodes; leaves after `most` steps.
  struct Recorder final : EpisodeObserver {
    bool AfterStep(const StepRecord& record) override {
      sessions.insert(record.episode.session);
      ++steps;
      calls += record.decision.deepthink.has_value();
      return steps < most;
    }
    std::set<std::uint64_t> sessions;
    int steps = 0, calls = 0, most = 1 << 30;
  };

  std::optional<TaskBoundaries> Play(std::uint64_t seed, EpisodeTerms terms, double gamma = 1) {
    BoundaryPlayer player({.rollouts = 1, .gamma = gamma},
                          {.quick = quick_,
                           .deepthink = deepthink_,
                           .clock = clock_,
                           .lm_timeout = std::chrono::seconds(1),
                           .observer = recorder_,
                           .name = [&](const EpisodeSetup& task) {
                             EpisodeSetup setup = task;
                             setup.session = ++next_session_;
                             return setup;
                           }});
    return player.Play(world_, {.seed = seed, .terms = terms});
  }

  // The first task from `seed` on that is `wanted` to who may call as often as it likes.
  std::uint64_t FindTask(Difficulty wanted, std::uint64_t seed = 0) {
    for (const std::uint64_t last = seed + 1000; seed < last; ++seed) {
      if (Play(seed, {})->difficulty() == wanted) return seed;
    }
    ADD_FAILURE() << "no such task among a thousand";
    return seed;
  }

  testing::FakeClock clock_;
  CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  testing::SeedRecord record_;
  testing::RecordingEnvironment world_{record_};
  Recorder recorder_;
  std::uint64_t next_session_ = 100;
};

TEST_F(BoundaryPlayerTest, BothPoliciesAreGivenTheSameTask) {
  const auto boundaries = Play(41, {.cost = 0.1f});

  ASSERT_TRUE(boundaries.has_value());
  EXPECT_EQ(record_.seeds(), (std::vector<std::uint64_t>{41, 41}));
  EXPECT_EQ(recorder_.sessions.size(), 2u) << "prompts of two episodes are two to the LMs";
  EXPECT_EQ(recorder_.calls, CountingEnvironment::kSteps) << "one never calls, one always does";
}

TEST_F(BoundaryPlayerTest, OutcomesAreDiscountedAsTheLearnerDoesIt) {
  const std::uint64_t easy = FindTask(Difficulty::kEasy), hard = FindTask(Difficulty::kHard);
  double calls = 0, last = 0;  // Discounted: of eight calls, of the last step.
  for (int t = 0; t < CountingEnvironment::kSteps; ++t) calls += last = std::pow(0.9, t);

  const auto of_easy = Play(easy, {.cost = 0.05f}, 0.9), of_hard = Play(hard, {.cost = 0.05f}, 0.9);

  EXPECT_NEAR(of_easy->quick.value, last, 1e-6);
  EXPECT_NEAR(of_easy->deepthink.value, last - 0.05 * calls, 1e-6);
  EXPECT_EQ(of_hard->quick.value, 0);
  EXPECT_NEAR(of_hard->reference(), last - 0.05 * calls, 1e-6);
}

TEST_F(BoundaryPlayerTest, DeepthinkCallsAsLongAsTheTasksBudgetLasts) {
  const std::uint64_t hard = FindTask(Difficulty::kHard);

  recorder_ = {};
  Play(hard, {.budget = 3});
  EXPECT_EQ(recorder_.calls, 3);

  recorder_ = {};
  const auto boundaries = Play(hard, {.cost = 0.01f, .budget = 0});
  EXPECT_EQ(recorder_.calls, 0);
  EXPECT_EQ(boundaries->difficulty(), Difficulty::kLost);
  EXPECT_EQ(boundaries->reference(), 0);
}

TEST_F(BoundaryPlayerTest, ATaskThatWasLeftHasNoBoundaries) {
  const std::uint64_t easy = FindTask(Difficulty::kEasy);
  recorder_ = {};
  recorder_.most = CountingEnvironment::kSteps + 3;  // In the middle of the second episode.

  EXPECT_FALSE(Play(easy, {}).has_value());
}

TEST(BoundaryOptions, RefuseWhatIsNoNumberOfEpisodesAndNoDiscount) {
  const auto refused = testing::Refuses<BoundaryOptions>;
  EXPECT_FALSE(refused([](BoundaryOptions&) {}));
  EXPECT_FALSE(refused([](BoundaryOptions& o) { o.rollouts = 3; }));
  EXPECT_TRUE(refused([](BoundaryOptions& o) { o.rollouts = -1; }));
  EXPECT_TRUE(refused([](BoundaryOptions& o) { o.gamma = 0; }));
  EXPECT_TRUE(refused([](BoundaryOptions& o) { o.gamma = 1.01; }));
}

}  // namespace
}  // namespace londi::actors
