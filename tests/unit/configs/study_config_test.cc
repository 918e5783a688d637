#include "configs/study_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "core/error.h"

namespace londi::configs {
namespace {

using ::testing::HasSubstr;

TEST(ParsedEvaluations, BeginWithTheConfigurationItself) {
  StudyConfig config;
  config.also = {"test environment.id=babyai/MixedTest evaluation.threads=1"};

  const std::vector<NamedSets> all = config.ParsedEvaluations();

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "");
  EXPECT_TRUE(all[0].sets.empty());
  EXPECT_EQ(all[1].name, "test");
  EXPECT_EQ(all[1].sets,
            (std::vector<std::string>{"environment.id=babyai/MixedTest", "evaluation.threads=1"}));
}

TEST(ParsedVariants, OfOnlySomeKeepTheirChanges) {
  StudyConfig config;
  config.variants = {"plain", "sac learner.algorithm=sac", "ppo learner.algorithm=ppo"};
  config.only = {"ppo", "plain"};

  const std::vector<NamedSets> some = config.ParsedVariants();

  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[0].name, "plain");
  EXPECT_EQ(some[1].name, "ppo");
  EXPECT_EQ(some[1].sets, std::vector<std::string>{"learner.algorithm=ppo"});

  config.only = {"pppo"};
  try {
    (void)config.ParsedVariants();
    FAIL() << "accepted";
  } catch (const core::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("study.only has 'pppo'"));
    EXPECT_THAT(error.what(), HasSubstr("plain, sac, ppo"));
  }
}

TEST(SetsOf, RunsLearnFromTheRowsOfTheirSeedUnlessTheVariantSaysOtherwise) {
  StudyConfig config;
  const NamedSets variant{"a", {"learner.gamma=0"}};
  EXPECT_EQ(config.SetsOf(variant, 3, "here"),
            (std::vector<std::string>{
                "learner.gamma=0", "run.seed=3", "run.name=run", "run.folder=here"}));
  config.rows_from = "studies/former/full";
  EXPECT_EQ(config.SetsOf(variant, 3, "here"),
            (std::vector<std::string>{"run.rows_from=studies/former/full/seed-3",
                                      "learner.gamma=0",
                                      "run.seed=3",
                                      "run.name=run",
                                      "run.folder=here"}));
}

struct Refused {
  std::vector<std::string> variants, also;
  std::string what;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.what; }

class StudyConfigRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(StudyConfigRefuses, WhatCannotBeCompared) {
  StudyConfig config;
  config.config = LONDI_STUDIES "/../babyai_text.yaml";
  config.seeds = {1};
  config.variants = GetParam().variants;
  config.also = GetParam().also;
  try {
    config.Validate();
    ADD_FAILURE() << "taken";
  } catch (const core::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().what));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    StudyConfigRefuses,
    ::testing::Values(
        Refused{{"a/b"}, {}, "study.variants has 'a/b'"},
        Refused{{"a", "a learner.seed=1"}, {}, "study.variants has 'a' twice"},
        Refused{{"a environment.id=babyai/MixedTest"}, {}, "variant 'a' sets environment.id"},
        Refused{{"a run.seed=3"}, {}, "the study sets run.seed=3"},
        Refused{
            {"a"}, {"test learner.gamma=0"}, "study.also has 'test', which sets learner.gamma=0"},
        Refused{{"a"}, {"b", "b"}, "study.also has 'b' twice"},
        Refused{{"a"}, {"a"}, "'a' stands in study.variants and in study.also"},
        Refused{{"a learner.gama=1"}, {}, "variant 'a': unknown key 'learner.gama'"},
        Refused{{"a"},
                {"b evaluation.epsodes=1"},
                "variant 'a' in 'b': unknown key 'evaluation.epsodes'"},
        Refused{{"a"}, {"b environment.id=babyai/Nowhere"}, "Nowhere"}));

}  // namespace
}  // namespace londi::configs
