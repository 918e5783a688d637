#include <gtest/gtest.h>

#include "core/error.h"
#include "learner/finetune/behaviour_cloning.h"

namespace londi::learner {
namespace {

constexpr AdamWOptions kOptions{.learning_rate = 1, .final_share = 0.1, .warmup = 0.1};

TEST(LearningRate, RisesThenFallsAlongACosine) {
  EXPECT_NEAR(LearningRate(kOptions, 0, 100), 1.0 / 11, 1e-12);
  EXPECT_NEAR(LearningRate(kOptions, 9, 100), 10.0 / 11, 1e-12);
  EXPECT_NEAR(LearningRate(kOptions, 10, 100), 1, 1e-12);
  EXPECT_NEAR(LearningRate(kOptions, 55, 100), 0.55, 1e-12);  // Half way: the middle.
  EXPECT_NEAR(LearningRate(kOptions, 100, 100), 0.1, 1e-12);
}

TEST(LearningRate, StaysAtItsEndBeyondTheEnd) {
  EXPECT_NEAR(LearningRate(kOptions, 1000, 100), 0.1, 1e-12);
}

TEST(AdamW, NamesWhatIsOutOfRange) {
  try {
    AdamWOptions{.beta2 = 1}.Validate();
    FAIL() << "accepted";
  } catch (const core::ConfigError& error) {
    EXPECT_NE(error.text().what.find("optimizer.beta2"), std::string::npos);
  }
}

}  // namespace
}  // namespace londi::learner
