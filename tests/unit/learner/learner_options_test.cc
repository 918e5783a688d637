#include <gtest/gtest.h>

#include "learner/learner_loop.h"
#include "tests/support/refuses.h"

namespace londi::learner {
namespace {

TEST(LearnerOptions, RefuseWhatCannotWork) {
  const auto refused = testing::Refuses<LearnerOptions>;
  EXPECT_FALSE(refused([](LearnerOptions&) {}));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.n_step = 0; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.n_step = kMaxSteps + 1; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.rate.min_rows = o.replay.capacity + 1; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.publish_every = 0; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.checkpoints_kept = 0; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.batch.gamma = 0; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.algorithm.name = "reinforce"; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.algorithm.dqn.network.width = 4; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.algorithm.dqn.action_gap = 1; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.algorithm.dqn.action_gap = -0.1; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) {
    o.algorithm.dqn.retrace_lambda = 0.9;
    o.batch.follow_greedy_only = false;
  }));
}

TEST(LearnerOptions, RefuseWhatIsNotOnPolicy) {
  const auto refused = [](const auto& spoil) {
    LearnerOptions options;
    options.algorithm.name = "ppo";
    options.batch.relabel.enabled = false;
    options.batch.agreement_rows = false;
    options.batch.batch_size = 16;
    options.replay.capacity = 1000;
    options.rate = {.samples_per_row = 64, .min_rows = 20, .slack = 100'000};
    options.rollout = {.rows = 30, .epochs = 2};
    options.Validate();
    return testing::Refuses<LearnerOptions>([&](LearnerOptions& o) {
      o = options;
      spoil(o);
    });
  };
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.batch.relabel.enabled = true; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.batch.agreement_rows = true; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.batch.follow_greedy_only = false; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.rollout.rows = 300; }));
  EXPECT_TRUE(refused([](LearnerOptions& o) { o.rate.slack = 2000; }));
}

}  // namespace
}  // namespace londi::learner
