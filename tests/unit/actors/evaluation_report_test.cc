#include "actors/evaluation_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace londi::actors {
namespace {

std::vector<CellResult> MakeResults() {
  const auto rows = [](int solved, int calls) {
    std::vector<EpisodeRow> all;
    for (int i = 0; i < 10; ++i) {
      EpisodeResult result{.finished = true,
                           .success = i < solved,
                           .kind = i % 2 == 0 ? "goto" : "open",
                           .total_reward = i < solved ? 1.0 : 0.0,
                           .steps = 10,
                           .calls = calls};
      result.quick = {.tokens = 100, .gflops = 0.25};
      all.push_back({.seed = static_cast<std::uint64_t>(i), .result = result});
    }
    return all;
  };
  return {{AlwaysDeepthinkCell(), rows(9, 10)},
          {SwitcherCell(0.05, 3), rows(8, 2)},
          {RuleCell({.kind = "entropy", .threshold = 0.7}), rows(4, 2)}};
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(ToTable, HasALinePerCellAndComparesWithTheReference) {
  const std::vector<std::string> lines = Lines(ToTable(MakeResults(), 0));

  ASSERT_EQ(lines.size(), 5u);
  EXPECT_NE(lines[0].find("vs always-deepthink"), std::string::npos);
  EXPECT_TRUE(lines[1].starts_with("always-deepthink"));
  EXPECT_NE(lines[1].find("90.0 [59.6, 98.2]"), std::string::npos);
  EXPECT_EQ(lines[1].find("+0.0"), std::string::npos);  // Not with itself.
  EXPECT_TRUE(lines[2].starts_with("switcher "));
  EXPECT_NE(lines[2].find(" 0.05   3 "), std::string::npos);
  EXPECT_NE(lines[2].find("-10.0 ["), std::string::npos);
  EXPECT_NE(lines[3].find("-50.0 ["), std::string::npos);
  EXPECT_NE(lines[3].find("     -   - "), std::string::npos);  // No cost, no budget.
  EXPECT_NE(lines[4].find("10 episodes per policy"), std::string::npos);
  EXPECT_NE(lines[4].find("budget violations: 0"), std::string::npos);
}

TEST(ToTable, WithoutAReferenceNothingIsCompared) {
  const std::string table = ToTable(MakeResults(), 99);

  EXPECT_NE(table.find("vs none"), std::string::npos);
  EXPECT_EQ(table.find("-50.0"), std::string::npos);
  EXPECT_EQ(Lines(ToTable({}, 0)).size(), 2u);
}

TEST(ToJson, SaysTheSameToMachines) {
  const auto json = nlohmann::json::parse(ToJson(MakeResults(), 0, /*with_episodes=*/true));

  ASSERT_EQ(json.at("cells").size(), 3u);
  const auto& switcher = json.at("cells").at(1);
  EXPECT_EQ(switcher.at("name"), "switcher");
  EXPECT_EQ(switcher.at("policy"), "mlp");
  EXPECT_EQ(switcher.at("budget"), 3);
  EXPECT_NEAR(switcher.at("cost").get<double>(), 0.05, 1e-6);
  EXPECT_DOUBLE_EQ(switcher.at("summary").at("success").get<double>(), 0.8);
  EXPECT_DOUBLE_EQ(switcher.at("summary").at("calls_per_step").get<double>(), 0.2);
  EXPECT_EQ(switcher.at("kinds").at("goto").at("episodes"), 5);
  ASSERT_EQ(switcher.at("episodes").size(), 10u);
  EXPECT_EQ(switcher.at("episodes").at(9).at("success"), false);
  EXPECT_TRUE(json.at("cells").at(2).at("budget").is_null());
  EXPECT_DOUBLE_EQ(json.at("cells").at(2).at("threshold").get<double>(), 0.7);
  ASSERT_EQ(json.at("differences").size(), 2u);
  EXPECT_EQ(json.at("differences").at(1).at("cell"), 2);
  EXPECT_EQ(json.at("differences").at(1).at("reference"), 0);
  EXPECT_NEAR(json.at("differences").at(1).at("success").get<double>(), -0.5, 1e-12);
}

std::vector<CellResult> MakeAverageResults(const std::vector<AverageBudget>& budgets) {
  std::vector<CellResult> results = MakeResults();
  for (const AverageBudget& average : budgets) {
    CellResult result = results[1];  // Two calls per episode.
    result.cell = SwitcherCell(average.found.cost);
    result.cell.name = "switcher-average";
    result.cell.average = average;
    results.push_back(std::move(result));
  }
  return results;
}

TEST(ToTable, SaysOfAverageBudgetsWhatWasReachedAndWhatIsNot) {
  const std::string table = ToTable(
      MakeAverageResults(
          {{.wanted = 2, .outcome = CostOutcome::kReached, .found = {.cost = 0.012, .calls = 2.03}},
           {.wanted = 3,
            .outcome = CostOutcome::kBetween,
            .found = {.cost = 0.02, .calls = 2.5},
            .above = CallsAtCost{.cost = 0.0199, .calls = 4},
            .below = CallsAtCost{.cost = 0.02, .calls = 2.5}},
           {.wanted = 0.5, .outcome = CostOutcome::kTooMany, .found = {.cost = 0.3, .calls = 1}},
           {.wanted = 30, .outcome = CostOutcome::kTooFew, .found = {.cost = 0.001, .calls = 9}}}),
      0);

  const std::vector<std::string> lines = Lines(table);
  EXPECT_TRUE(lines[4].starts_with("switcher-average "));
  EXPECT_NE(lines[4].find(" 0.012   ~2 "), std::string::npos) << lines[4];
  for (const char* said :
       {"single episodes may have more",
        "wanted 2: c=0.012 makes 2.03 there, 2.00 here; reached\n",
        "wanted 3: c=0.02 makes 2.50 there, 2.00 here; no cost has them: 4.00 at c=0.0199, 2.50 at "
        "c=0.02\n",
        "wanted 0.5: c=0.3 makes 1.00 there, 2.00 here; out of reach: it calls more often even at "
        "the largest trained cost\n",
        "wanted 30: c=0.001 makes 9.00 there, 2.00 here; out of reach: it calls less often even at "
        "the smallest trained cost\n"})
    EXPECT_NE(table.find(said), std::string::npos) << said << table;
  EXPECT_EQ(ToTable(MakeResults(), 0).find("average"), std::string::npos);
}

TEST(ToJson, HasWhatWasWantedOnAverageAndWhatWasFound) {
  const auto results = MakeAverageResults({{.wanted = 2.5,
                                            .outcome = CostOutcome::kUnsettled,
                                            .found = {.cost = 0.25, .calls = 2.75},
                                            .above = CallsAtCost{.cost = 0.25, .calls = 2.75}}});
  const auto json = nlohmann::json::parse(ToJson(results, 0, /*with_episodes=*/false));

  EXPECT_FALSE(json.at("cells").at(1).contains("average_calls"));
  const auto& average = json.at("cells").at(3).at("average_calls");
  EXPECT_EQ(average.at("wanted"), 2.5);
  EXPECT_EQ(average.at("outcome"), "unsettled");
  EXPECT_EQ(average.at("found").at("cost"), 0.25);
  EXPECT_EQ(average.at("above").at("calls"), 2.75);
  EXPECT_TRUE(average.at("below").is_null());
  EXPECT_TRUE(json.at("cells").at(3).at("budget").is_null());
}

TEST(ToTable, SaysWhatBudgetsCountWhereItIsNotCalls) {
  std::vector<CellResult> results = MakeResults();
  const core::BudgetMeter gflops(core::BudgetUnit::kGflops, 0.25);
  results[1].cell.terms = {.cost = 0.05f, .budget = gflops.Ticks(1.5), .meter = gflops};
  for (EpisodeRow& row : results[1].rows) row.result.spent = 100;
  results[1].rows[0].result.spent = 6001;
  results[1].rows[1].result.refused = 5;

  const std::string table = ToTable(results, 0);
  const auto json = nlohmann::json::parse(ToJson(results, 0, /*with_episodes=*/true));

  EXPECT_NE(table.find("switcher            0.05 1.5 "), std::string::npos) << table;
  EXPECT_NE(table.find("B in gflops of DEEPTHINK; budget violations: 1"), std::string::npos);
  EXPECT_EQ(ToTable(MakeResults(), 0).find("B in"), std::string::npos);
  const auto& cell = json.at("cells").at(1);
  EXPECT_DOUBLE_EQ(cell.at("budget").get<double>(), 1.5);
  EXPECT_EQ(cell.at("budget_unit"), "gflops");
  EXPECT_FALSE(json.at("cells").at(0).contains("budget_unit"));
  EXPECT_DOUBLE_EQ(cell.at("summary").at("refused_calls").get<double>(), 0.5);
  EXPECT_EQ(cell.at("episodes").at(1).at("refused_calls"), 5);
}

// evaluation.json said 8000 where the budget was 4 ms.
TEST(ToJson, BudgetsOfTimeAreInMilliseconds) {
  std::vector<CellResult> results = MakeResults();
  const core::BudgetMeter time(core::BudgetUnit::kMilliseconds, 0.5, 2);
  results[1].cell.terms = {.cost = 0.05f, .budget = time.Ticks(4), .meter = time};

  const auto json = nlohmann::json::parse(ToJson(results, 0, /*with_episodes=*/false));

  EXPECT_EQ(json.at("cells").at(1).at("budget"), 4);
  EXPECT_EQ(json.at("cells").at(1).at("budget_unit"), "milliseconds");
}

TEST(ToTable, AWideBudgetKeepsTheColumnsStraight) {
  std::vector<CellResult> results = MakeResults();
  const core::BudgetMeter tokens(core::BudgetUnit::kTokens, 300);
  results[1].cell.terms = {.cost = 0.05f, .budget = 12'000, .meter = tokens};

  const std::vector<std::string> lines = Lines(ToTable(results, 0));

  for (int i : {1, 2, 3}) EXPECT_EQ(lines[0].size(), lines[static_cast<std::size_t>(i)].size());
}

std::vector<CellResult> MakeOracleResults() {
  std::vector<CellResult> results = MakeResults();
  const EpisodeResult solved{.finished = true,
                             .success = true,
                             .kind = "goto",
                             .total_reward = 0.75,
                             .steps = 4,
                             .calls = 1,
                             .call_steps = {2}};
  const HindsightPlan proven{
      .calls = {false, false, true, false}, .value = 0.5, .bound = 0.5, .proven = true, .nodes = 9};
  HindsightPlan unproven = proven;
  unproven.bound = 0.75;
  unproven.proven = false;
  results.push_back({HindsightCell({.max_nodes = 9}, 0.25, 3),
                     {{.seed = 0, .result = solved, .plan = proven},
                      {.seed = 1, .result = solved, .plan = unproven}}});
  return results;
}

TEST(ToTable, SaysThatTheOracleSeesTheFutureAndHowMuchIsProven) {
  const std::string table = ToTable(MakeOracleResults(), 0);

  EXPECT_NE(table.find("sees the future"), std::string::npos);
  EXPECT_NE(table.find("c=0.25 B=3: value 0.5000, at most 0.6250; proven in 1 of 2 episodes"),
            std::string::npos)
      << table;
  EXPECT_EQ(ToTable(MakeResults(), 0).find("future"), std::string::npos);
}

TEST(ToJson, HasTheOraclesPlans) {
  const auto json = nlohmann::json::parse(ToJson(MakeOracleResults(), 0, /*with_episodes=*/true));

  const auto& cell = json.at("cells").at(3);
  EXPECT_EQ(cell.at("name"), "hindsight-oracle");
  EXPECT_EQ(cell.at("policy"), "hindsight");
  EXPECT_EQ(cell.at("max_nodes"), 9);
  EXPECT_EQ(cell.at("summary").at("proven"), 1);
  EXPECT_DOUBLE_EQ(cell.at("summary").at("value").get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(cell.at("summary").at("bound").get<double>(), 0.625);
  EXPECT_EQ(cell.at("episodes").at(0).at("call_steps"), nlohmann::json({2}));
  EXPECT_EQ(cell.at("episodes").at(0).at("nodes"), 9);
  EXPECT_EQ(cell.at("episodes").at(1).at("proven"), false);
  EXPECT_FALSE(json.at("cells").at(1).at("summary").contains("bound"));
  EXPECT_FALSE(json.at("cells").at(1).at("episodes").at(0).contains("proven"));
}

TEST(ToJson, LeavesEpisodesOutUnlessAsked) {
  const auto json = nlohmann::json::parse(ToJson(MakeResults(), 0, /*with_episodes=*/false));

  EXPECT_FALSE(json.at("cells").at(0).contains("episodes"));
}

}  // namespace
}  // namespace londi::actors
