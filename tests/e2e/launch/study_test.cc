// `londi study` as people use it, with two real (tiny, random) LMs: killed in the middle, gone on
// with, reported again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>

#include "launch/child_process.h"
#include "launch/run_folder.h"
#include "launch/study/cells.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class StudyTest : public ::testing::Test {
 protected:
  StudyTest() {
    testing::WriteTinyRun(
        temp_.path(),
        LONDI_GOLDEN_MODELS,
        R"(run: {duration: 100s, max_decisions: 150, heartbeat: 100ms, metrics_every: 500ms}
evaluation: {costs: [0.05], budgets: [2], baselines: [], threads: 2, oracle_nodes: 20}
)");
    testing::WriteText(temp_ / "study.yaml", R"(
study:
  name: tiny
  folder: studies
  config: run.yaml
  seeds: [7]
  variants: ["full", "lone learner.agreement_rows=false"]
  episodes: 4
  resamples: 50
)");
  }

  std::string Study() const { return "study " + (temp_ / "study.yaml").string(); }
  testing::CommandResult Londi(const std::string& arguments) {
    return testing::RunCommand(std::string(LONDI_BINARY) + " " + arguments, 400);
  }
  study::Cell CellOf(const std::string& variant) const {
    return {.folder = temp_ / "studies" / "tiny" / variant / "seed-7"};
  }
  std::string Result(const std::string& name) const {
    return testing::ReadText(temp_ / "studies" / "tiny" / name);
  }
  static int CountRuns(const study::Cell& cell) {
    int runs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(cell.folder))
      runs += entry.is_directory() ? 1 : 0;
    return runs;
  }
  // Starts the study and kills it, with all that it started, once `now`.
  void KillOnce(const std::function<bool()>& now) {
    ChildProcess study({.name = "study",
                        .executable = LONDI_BINARY,
                        .arguments = {"study", (temp_ / "study.yaml").string()},
                        .output = temp_ / "study.out"});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(400);
    std::optional<ChildExit> exit;
    while (!exit && !now() && std::chrono::steady_clock::now() < deadline) {
      exit = study.TryReap();
      usleep(20'000);
    }
    ASSERT_FALSE(exit) << testing::ReadText(temp_ / "study.out");
    ASSERT_TRUE(now()) << testing::ReadText(temp_ / "study.out");
    study.Signal(SIGKILL);
  }

  testing::TempFolder temp_;
};

TEST_F(StudyTest, GoesOnAfterEachKillAndGivesTheSameNumbersAgain) {
  const study::Cell full = CellOf("full"), lone = CellOf("lone");
  KillOnce([&] { return FindRun(full.folder).has_value(); });  // In the first training.
  EXPECT_FALSE(study::ReadState(full).trained);
  KillOnce([&] { return FindRun(lone.folder).has_value(); });  // In the second one.
  ASSERT_TRUE(std::filesystem::exists(full.evaluation()));
  const std::string first = testing::ReadText(full.evaluation());

  const auto done = Londi(Study());

  ASSERT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output,
              AllOf(HasSubstr("run 2 of 2: training lone, seed 7"),
                    Not(HasSubstr("run 1 of 2")),
                    ContainsRegex("about .* left"),
                    HasSubstr("# Study tiny")));
  EXPECT_EQ(testing::ReadText(full.evaluation()), first);  // Not made anew.
  EXPECT_EQ(CountRuns(full), 1);
  EXPECT_EQ(CountRuns(lone), 1);
  const auto results = nlohmann::json::parse(Result("results.json"));
  EXPECT_EQ(results.at("seeds"), 1);
  EXPECT_EQ(results.at("episodes"), 4);
  EXPECT_EQ(results.at("variants").size(), 2u);
  // Of each variant QUICK, DEEPTHINK, one cost, one budget; the oracle's two once.
  EXPECT_EQ(results.at("policies").size(), 10u);
  for (const char* name : {"report.md", "results.csv", "success_by_calls.svg"})
    EXPECT_FALSE(Result(name).empty()) << name;

  const std::string numbers = Result("results.json");
  const auto again = Londi(Study());
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_THAT(again.output, Not(HasSubstr(": training ")));
  EXPECT_EQ(Result("results.json"), numbers);
  std::filesystem::remove(temp_ / "studies" / "tiny" / "results.json");
  {
    const RunLock at_work({temp_ / "studies" / "tiny"});
    const auto second = Londi(Study());
    EXPECT_EQ(second.status, 1) << second.output;
    EXPECT_THAT(second.output, HasSubstr("is in use"));
    const auto beside = Londi(Study() + " --only-report");
    EXPECT_EQ(beside.status, 0) << beside.output;
  }
  EXPECT_EQ(Result("results.json"), numbers);

  // The same runs elsewhere: nothing is trained, nor evaluated again where it was.
  const std::string elsewhere = Study() + " --set 'study.also=[\"dear evaluation.costs=[0.2]\"]'";
  const auto also = Londi(elsewhere);
  ASSERT_EQ(also.status, 0) << also.output;
  EXPECT_THAT(also.output,
              AllOf(HasSubstr("run 2 of 2: evaluating (dear) lone, seed 7"),
                    Not(HasSubstr(": training ")),
                    Not(HasSubstr(": evaluating lone")),
                    HasSubstr("# Study tiny, dear")));
  EXPECT_EQ(Result("results.json"), numbers);
  EXPECT_THAT(Result("dear/report.md"),
              AllOf(HasSubstr("switcher c=0.2 |"), Not(HasSubstr("switcher c=0.05"))));

  // Ctrl-C leaves an evaluation of fewer episodes behind.
  study::CellState ended = study::ReadState(lone);
  ended.evaluated.clear();
  study::WriteState(lone, ended);
  testing::WriteText(lone.evaluation(), "{\"cells\": [");
  const auto anew = Londi(Study());
  EXPECT_EQ(anew.status, 0) << anew.output;
  EXPECT_THAT(anew.output,
              AllOf(HasSubstr("evaluating lone, seed 7"), Not(HasSubstr(": training "))));

  // As if londi had learned of an option since: its default is what the cell was begun with.
  study::CellState older = study::ReadState(lone);
  std::erase_if(older.config, [](const std::string& line) {
    return line.starts_with("learner.dqn.retrace_temperature");
  });
  study::WriteState(lone, older);
  EXPECT_EQ(Londi(Study() + " --only-report").status, 0);

  const auto changed = Londi(Study() + " --set study.set=[learner.batch_size=16]");
  EXPECT_EQ(changed.status, 2) << changed.output;
  EXPECT_THAT(changed.output,
              AllOf(HasSubstr("full, seed 7 was begun with another configuration"),
                    HasSubstr("learner.batch_size: 32 -> 16"),
                    HasSubstr("fix: ")));
  testing::WriteText(lone.evaluation(), "{\"cells\": [");
  const auto damaged = Londi(Study() + " --only-report");
  EXPECT_EQ(damaged.status, 1) << damaged.output;
  EXPECT_THAT(damaged.output, AllOf(HasSubstr(lone.evaluation().string()), HasSubstr("fix: ")));
}

TEST_F(StudyTest, LearnsSeedBySeedFromTheRowsOfAFormerStudy) {
  const std::string study = Study() + " --set study.oracle=false --set study.variants=[full]";
  const std::string again = study + " --set study.name=again --set study.rows_from=" +
                            (temp_ / "studies" / "tiny" / "full").string();
  const auto none_yet = Londi(study + " --only-report");
  EXPECT_EQ(none_yet.status, 1) << none_yet.output;
  EXPECT_FALSE(std::filesystem::exists(temp_ / "studies"));
  const auto too_early = Londi(again);
  EXPECT_EQ(too_early.status, 1) << too_early.output;
  EXPECT_THAT(too_early.output,
              AllOf(ContainsRegex("there is no run in .*/tiny/full/seed-7"), HasSubstr("fix: ")));
  const auto acted = Londi(study);
  ASSERT_EQ(acted.status, 0) << acted.output;

  const auto learned = Londi(again);

  ASSERT_EQ(learned.status, 0) << learned.output;
  const auto from = FindRun(CellOf("full").folder);
  const auto run = FindRun(temp_ / "studies" / "again" / "full" / "seed-7");
  ASSERT_TRUE(from && run);
  EXPECT_THAT(testing::ReadText(run->config()), HasSubstr("rows_from: \"" + from->path.string()));
  EXPECT_THAT(testing::ReadText(run->events()),
              AllOf(HasSubstr("learner"), Not(HasSubstr("actor"))));

  // Its runs have copies of the rows by now.
  std::filesystem::remove_all(temp_ / "studies" / "tiny");
  for (const char* how : {" --only-report", ""}) {
    const auto reported = Londi(again + how);
    EXPECT_EQ(reported.status, 0) << reported.output;
    EXPECT_THAT(reported.output, HasSubstr("# Study again"));
  }
}

TEST_F(StudyTest, WhatIsSaidOfARunElsewhereIsOfThere) {
  const study::Cell full = CellOf("full");
  testing::WriteText(temp_ / "study.yaml",
                     std::regex_replace(testing::ReadText(temp_ / "study.yaml"),
                                        std::regex("variants: .*"),
                                        "variants: [full]\n  oracle: false"));
  const auto at = [&](const std::string& cost) {
    return Londi(Study() + " --set 'study.also=[\"there evaluation.costs=[" + cost + "]\"]'");
  };
  for (const std::string cost : {"0.2", "0.3", "0.2"}) {
    const auto done = at(cost);
    ASSERT_EQ(done.status, 0) << done.output;
    EXPECT_THAT(done.output, HasSubstr("evaluating (there) full"));
    EXPECT_THAT(Result("there/report.md"), HasSubstr("switcher c=" + cost + " |"));
  }
  EXPECT_THAT(at("0.2").output, Not(HasSubstr("evaluating")));

  // A run that was deleted is made anew, and what was known of it is forgotten first.
  std::filesystem::remove_all(FindRun(full.folder)->path);
  KillOnce([&] { return FindRun(full.folder).has_value(); });
  EXPECT_FALSE(study::ReadState(full).trained);
  EXPECT_TRUE(study::ReadState(full).evaluated.empty());
}

TEST_F(StudyTest, SaysWhatFailedAndWhereItsLogIs) {
  std::filesystem::remove(temp_ / "deepthink" / "model.safetensors");

  const auto failed = Londi(Study());

  EXPECT_EQ(failed.status, 2) << failed.output;
  EXPECT_THAT(failed.output,
              AllOf(HasSubstr("training full, seed 7 failed"),
                    HasSubstr("why: "),
                    HasSubstr(CellOf("full").log().string())));
}

}  // namespace
}  // namespace londi::launch
