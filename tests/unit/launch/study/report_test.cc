#include "launch/study/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/study_data.h"

namespace londi::launch::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

StudyResults MakeResults() {
  return Analyse(
      {{"full", {testing::MakeStudyEvaluation()}}, {"less", {testing::MakeStudyEvaluation(-2)}}},
      {.margin = 0.05, .resamples = 50});
}

TEST(StudyReport, HasTheTablesAndSaysThatTheOracleSeesTheFuture) {
  const std::string text = ToMarkdown("tiny", MakeResults());

  EXPECT_THAT(text,
              AllOf(HasSubstr("# Study tiny"),
                    HasSubstr("1 training seeds per variant, 40 unseen episodes"),
                    HasSubstr("| full | 23.3 ["),
                    HasSubstr("| full | switcher c=0.05 B=1 | "),
                    HasSubstr("| all | hindsight-oracle c=0.05 | "),
                    HasSubstr("sees the future"),
                    HasSubstr("within 5.0 points"),
                    HasSubstr("## Under hard budgets"),
                    HasSubstr("| full: switcher c=0.05 | less: switcher c=0.05 | "),
                    HasSubstr("success_by_calls.svg"),
                    Not(HasSubstr("nan"))));
}

TEST(StudyReport, EveryLineOfTheCsvHasAllColumns) {
  std::istringstream in(ToCsv(MakeResults()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);

  ASSERT_EQ(lines.size(), 1u + 8 + 6);  // The oracle's two rows once.
  for (const std::string& line : lines)
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(lines[0], ',')) << line;
  EXPECT_THAT(lines, Contains(::testing::StartsWith("full,switcher,0.05,1,")));
  EXPECT_THAT(lines, Contains(::testing::StartsWith("full,always-quick,0,,")));
}

TEST(StudyReport, TheJsonHasNullWhereThereIsNothing) {
  const auto json = nlohmann::json::parse(ToJson(MakeResults()));

  EXPECT_EQ(json.at("variants").size(), 2u);
  EXPECT_NEAR(json.at("variants")[0].at("matched_calls").at("value").get<double>(), 0.2333, 1e-3);
  EXPECT_TRUE(json.at("policies")[0].at("regret").is_null());
  EXPECT_TRUE(json.at("policies")[0].at("budget").is_null());
  EXPECT_EQ(json.at("positions")[0].at("shares").size(), 10u);
  EXPECT_EQ(json.at("calibrations")[0].at("bins")[0].at("predicted"), 0.5);
}

TEST(StudyReport, DrawsAPlotPerPriceAndWhereCallsLand) {
  const auto plots = MakePlots(MakeResults());

  EXPECT_THAT(plots,
              UnorderedElementsAre(Key("success_by_calls.svg"),
                                   Key("success_by_tokens.svg"),
                                   Key("success_by_gflop.svg"),
                                   Key("success_by_ms.svg"),
                                   Key("calls_within_episode.svg")));
  EXPECT_THAT(plots.at("calls_within_episode.svg"),
              AllOf(HasSubstr(">hindsight-oracle c=0.05<"),
                    HasSubstr(">full: switcher c=0.05<"),
                    Not(HasSubstr("less"))));
  EXPECT_THAT(plots.at("success_by_calls.svg"),
              AllOf(HasSubstr(">switcher: full<"),
                    HasSubstr(">switcher: less<"),
                    HasSubstr(">hindsight-oracle<"),
                    HasSubstr(">always-quick<")));
}

}  // namespace
}  // namespace londi::launch::study
