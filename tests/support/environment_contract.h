#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/error.h"

namespace londi::testing {

// One environment to hold against the contract of core/environment.h.
struct ContractCase {
  std::string name;  // Letters and digits.
  std::function<std::unique_ptr<core::Environment>()> make;
  friend std::ostream& operator<<(std::ostream& out, const ContractCase& c) {
    return out << c.name;
  }
};

// To be included by one file of a test binary, which instantiates it within this namespace:
//   INSTANTIATE_TEST_SUITE_P(Family, EnvironmentContract, ::testing::ValuesIn(cases),
//                            ContractCaseName);
class EnvironmentContract : public ::testing::TestWithParam<ContractCase> {};

inline std::string ContractCaseName(const ::testing::TestParamInfo<ContractCase>& info) {
  return info.param.name;
}

// A reproducible choice without a random generator: the actions in turn, in strides.
inline std::string ContractAction(const core::Environment& environment, int step) {
  const std::vector<std::string> actions = environment.AdmissibleActions();
  return actions[static_cast<std::size_t>(step * 7 + step / 3) % actions.size()];
}

inline void ExpectEqual(const core::Observation& a, const core::Observation& b) {
  EXPECT_EQ(a.mission, b.mission);
  EXPECT_EQ(a.sentences, b.sentences);
}

inline void ExpectEqual(const core::StepResult& a, const core::StepResult& b) {
  ExpectEqual(a.observation, b.observation);
  EXPECT_EQ(a.reward, b.reward);
  EXPECT_EQ(a.terminated, b.terminated);
  EXPECT_EQ(a.truncated, b.truncated);
}

TEST_P(EnvironmentContract, SameSeedGivesTheSameEpisodeWhateverHappenedBefore) {
  const auto fresh = GetParam().make();
  const auto used = GetParam().make();
  used->Reset(99);
  for (int step = 0; step < 5; ++step) {
    if (used->Step(ContractAction(*used, step)).done()) break;
  }

  ExpectEqual(fresh->Reset(3), used->Reset(3));
  EXPECT_EQ(fresh->MaxSteps(), used->MaxSteps());
  EXPECT_EQ(fresh->Kind(), used->Kind());
  for (int step = 0; step < 40; ++step) {
    const std::string action = ContractAction(*fresh, step);
    const core::StepResult result = fresh->Step(action);
    ExpectEqual(result, used->Step(action));
    if (result.done()) break;
  }
}

TEST_P(EnvironmentContract, EndsAtTheStepLimitAtTheLatest) {
  const auto environment = GetParam().make();
  environment->Reset(1);
  const int limit = environment->MaxSteps();
  ASSERT_GT(limit, 0);

  core::StepResult result;
  int steps = 0;
  while (!result.done() && steps <= limit) {
    ASSERT_FALSE(environment->AdmissibleActions().empty());
    result = environment->Step(ContractAction(*environment, steps));
    ++steps;
  }

  EXPECT_LE(steps, limit);
  EXPECT_TRUE(result.done());
  EXPECT_TRUE(result.truncated || steps < limit);
}

TEST_P(EnvironmentContract, TheMissionStaysWithinAnEpisode) {
  const auto environment = GetParam().make();
  const std::string mission = environment->Reset(5).mission;

  for (int step = 0; step < 10; ++step) {
    const core::StepResult result = environment->Step(ContractAction(*environment, step));
    EXPECT_EQ(result.observation.mission, mission);
    if (result.done()) break;
  }
}

TEST_P(EnvironmentContract, RefusesATextThatIsNoAction) {
  const auto environment = GetParam().make();
  environment->Reset(1);

  EXPECT_THROW(environment->Step("fly to the moon"), core::Error);
  EXPECT_THROW(environment->Step(""), core::Error);
}

TEST_P(EnvironmentContract, EarnsNoMoreThanItSaysIsAhead) {
  const auto environment = GetParam().make();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    environment->Reset(seed);
    std::vector<double> ahead = {environment->MaxRewardAhead()};
    std::vector<double> rewards;
    for (bool done = false; !done;) {
      const int step = static_cast<int>(rewards.size() + seed);
      const core::StepResult result = environment->Step(ContractAction(*environment, step));
      rewards.push_back(result.reward);
      done = result.done();
      ahead.push_back(environment->MaxRewardAhead());
    }
    double earned = 0;  // From there to the end.
    for (std::size_t i = rewards.size(); i-- > 0;) {
      earned += rewards[i];
      EXPECT_LE(earned, ahead[i] + 1e-12) << "seed " << seed << ", step " << i;
    }
    if (std::isfinite(ahead.front())) {
      EXPECT_EQ(ahead.back(), 0) << "seed " << seed;
    }
  }
}

TEST_P(EnvironmentContract, ACloneGoesItsOwnWay) {
  const auto original = GetParam().make();
  original->Reset(2);
  original->Step(ContractAction(*original, 0));
  const auto clone = original->Clone();
  if (clone == nullptr) GTEST_SKIP() << "this environment cannot be copied";
  const auto reference = original->Clone();

  std::vector<core::StepResult> first;
  for (int step = 1; step < 20; ++step) {
    first.push_back(clone->Step(ContractAction(*clone, step)));
    if (first.back().done()) break;
  }
  clone->Reset(77);

  for (std::size_t i = 0; i < first.size(); ++i) {  // Untouched by what the clone did.
    const int step = static_cast<int>(i) + 1;
    ExpectEqual(first[i], original->Step(ContractAction(*original, step)));
    ExpectEqual(first[i], reference->Step(ContractAction(*reference, step)));
  }
}

}  // namespace londi::testing
