#include "actors/envs/make_environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/error.h"

namespace londi::actors {
namespace {

core::ErrorText TextOfUnknown(const std::string& id) {
  try {
    (void)MakeEnvironment(id);
  } catch (const core::ConfigError& error) {
    return error.text();
  }
  ADD_FAILURE() << id << " was accepted";
  return {};
}

TEST(MakeEnvironment, MakesEveryNameItLists) {
  for (const std::string& name : EnvironmentNames()) {
    const core::EnvironmentWithExpert made = MakeEnvironmentWithExpert(name);
    ASSERT_NE(made.environment, nullptr) << name;
    EXPECT_EQ(made.expert != nullptr, name.starts_with("babyai/")) << name;
    EXPECT_FALSE(made.environment->Reset(1).mission.empty()) << name;
  }
}

TEST(MakeEnvironment, NamesTheNearestAndTheKnownOnes) {
  const core::ErrorText text = TextOfUnknown("babyai/GoToLocl");

  EXPECT_NE(text.what.find("babyai/GoToLocl"), std::string::npos);
  EXPECT_NE(text.why.find("babyai/MixedTrain"), std::string::npos);
  EXPECT_NE(text.fix.find("'babyai/GoToLocal'"), std::string::npos);
  EXPECT_NE(TextOfUnknown("").fix, "");
  EXPECT_NE(TextOfUnknown("GoToObj").fix.find("'babyai/GoToObj'"), std::string::npos);
}

TEST(MakeEnvironment, HandsOptionsToTheEnvironment) {
  const auto environment =
      MakeEnvironment("babyai/MixedTrain", {.kind = "putnext", .num_distractors = 0});

  environment->Reset(4);

  EXPECT_EQ(environment->Kind(), "putnext");
  EXPECT_THROW((void)MakeEnvironment("babyai/MixedTrain", {.kind = "goo"}), core::ConfigError);
  EXPECT_THROW((void)MakeEnvironment("babyai/GoToObj", {.num_distractors = 3}), core::ConfigError);
  EXPECT_THROW((void)MakeEnvironment("babyai/GoToObj", {.view_size = 4}), core::ConfigError);
}

TEST(MakeEnvironment, TheExpertSolvesEveryKindOfTheMixedLevels) {
  for (const char* kind : {"goto", "pickup", "open", "putnext", "sequence"}) {
    const auto made =
        MakeEnvironmentWithExpert("babyai/MixedTrain", {.kind = kind, .num_distractors = 0});
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      made.environment->Reset(seed);
      made.expert->Reset();
      core::StepResult result;
      std::string action;
      while (!result.done()) {
        action = made.expert->Advise(action);
        ASSERT_NE(action, "") << kind << " seed " << seed;
        result = made.environment->Step(action);
      }
      EXPECT_GT(result.reward, 0) << kind << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace londi::actors
