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

}  // namespace
}  // namespace londi::launch
