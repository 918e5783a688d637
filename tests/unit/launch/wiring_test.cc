#include "launch/wiring.h"

#include <gtest/gtest.h>

namespace londi::launch {
namespace {

TEST(Wiring, BoundariesAreDiscountedAsTheLearnerDoesIt) {
  configs::RunConfig config;
  config.actor.boundaries.rollouts = 2;
  config.learner.batch.gamma = 0.875;

  EXPECT_EQ(ActorOptionsOf(config).boundaries.gamma, 0.875);
  EXPECT_EQ(ActorOptionsOf(config).boundaries.rollouts, 2);
}

TEST(Wiring, TheLearnerMasksCallsThatTheGovernorDoesNotAdmit) {
  configs::RunConfig config;
  EXPECT_EQ(LearnerOptionsOf(config).batch.relabel.least_per_call, 1);
  config.actor.terms.budget_unit = core::BudgetUnit::kMilliseconds;
  config.actor.terms.call_price = 2;
  config.actor.terms.worst_call = 15;

  EXPECT_EQ(LearnerOptionsOf(config).batch.relabel.ticks_per_call, 1000);
  EXPECT_EQ(LearnerOptionsOf(config).batch.relabel.least_per_call, 7500);
}

TEST(Wiring, AnActorWaitsForWorkersAsLongAsTheyMayTakeToStart) {
  configs::RunOptions run;
  run.startup = std::chrono::minutes(30);
  EXPECT_EQ(WorkersTimeout(run), std::chrono::minutes(30));
  run.startup = std::chrono::seconds(1);
  EXPECT_EQ(WorkersTimeout(run), std::chrono::minutes(5));
}

}  // namespace
}  // namespace londi::launch
