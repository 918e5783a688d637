#include "launch/wiring.h"

#include <gtest/gtest.h>

#include <chrono>

namespace londi::launch {
namespace {

constexpr std::chrono::milliseconds kNoTime{0};

TEST(Wiring, BoundariesAreDiscountedAsTheLearnerDoesIt) {
  configs::RunConfig config;
  config.actor.boundaries.rollouts = 2;
  config.learner.batch.gamma = 0.875;

  EXPECT_EQ(ActorOptionsOf(config).boundaries.gamma, 0.875);
  EXPECT_EQ(ActorOptionsOf(config).boundaries.rollouts, 2);
}

TEST(Wiring, TheLearnerMasksCallsThatTheGovernorDoesNotAdmit) {
  configs::RunConfig config;
  EXPECT_EQ(LearnerOptionsOf(config, kNoTime).batch.relabel.least_per_call, 1);
  config.actor.terms.budget_unit = core::BudgetUnit::kMilliseconds;
  config.actor.terms.call_price = 2;
  config.actor.terms.worst_call = 15;

  EXPECT_EQ(LearnerOptionsOf(config, kNoTime).batch.relabel.ticks_per_call, 1000);
  EXPECT_EQ(LearnerOptionsOf(config, kNoTime).batch.relabel.least_per_call, 7500);
}

TEST(Wiring, TheStepSizeGoesByWhateverEndsTheRun) {
  configs::RunConfig config;
  config.run.duration = std::chrono::minutes(10);
  config.run.max_decisions = 5000;
  config.learner.max_updates = 70;
  const learner::RunLength run = LearnerOptionsOf(config, std::chrono::minutes(4)).run;
  EXPECT_EQ(run.time, std::chrono::minutes(10));
  EXPECT_EQ(run.time_before, std::chrono::minutes(4));
  EXPECT_EQ(run.rows, 5000);
  EXPECT_EQ(run.updates, 70);
}

TEST(Wiring, WithFormerRowsTheStepSizeDoesNotGoByRowsWhichAreAllThere) {
  configs::RunConfig config;
  config.run.max_decisions = 5000;
  config.run.rows_from = "former";
  EXPECT_EQ(LearnerOptionsOf(config, kNoTime).run.rows, 0);
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
