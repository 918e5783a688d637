// The londi binary as people use it: train, eval, report, resume, with two real (tiny, random) LMs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launch/child_process.h"
#include "launch/former_rows.h"
#include "launch/progress_totals.h"
#include "launch/run_folder.h"
#include "launch/time_use.h"
#include "launch/train_run.h"
#include "learner/checkpoint.h"
#include "learner/replay/segment_log.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class WholeRun : public ::testing::Test {
 protected:
  WholeRun() {
    testing::WriteTinyRun(
        temp_.path(),
        LONDI_GOLDEN_MODELS,
        R"(run: {name: whole, folder: runs, duration: 100s, max_decisions: 150, heartbeat: 100ms, metrics_every: 500ms}
evaluation: {costs: [0.05], budgets: [2], episodes: 2, min_episodes: 2, calibration_episodes: 1, threads: 2}
)");
  }

  testing::CommandResult Londi(const std::string& arguments) {
    return testing::RunCommand(std::string(LONDI_BINARY) + " " + arguments, 180);
  }
  std::string Config() const { return (temp_ / "run.yaml").string(); }

  // The only run there is.
  std::optional<RunFolder> FindRun() const {
    if (!std::filesystem::exists(temp_ / "runs")) return std::nullopt;
    for (const auto& entry : std::filesystem::directory_iterator(temp_ / "runs")) {
      if (std::filesystem::exists(entry.path() / "config.yaml")) return RunFolder{entry.path()};
    }
    return std::nullopt;
  }

  // Pids of the lives of `role`, oldest first.
  std::vector<pid_t> Lives(const std::string& role) const {
    std::vector<pid_t> pids;
    const auto run = FindRun();
    std::ifstream in(run ? run->events() : std::filesystem::path());
    for (std::string line; std::getline(in, line);) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (!event.is_object() || event.value("event", "") != "role_started") continue;
      if (event.value("role", "") == role) pids.push_back(event.value("pid", 0));
    }
    return pids;
  }

  std::int64_t Decisions() const {
    const auto run = FindRun();
    return run ? ReadTotals(*run).Sum("actor", counter::kDecisions) : 0;
  }

  // Until `done`, or until `process` has ended, which leaves how in exit_.
  void WaitFor(ChildProcess& process, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!exit_ && !done() && std::chrono::steady_clock::now() < deadline) {
      exit_ = process.TryReap();
      usleep(20'000);
    }
  }
  std::string Said() const { return testing::ReadText(temp_ / "train.out"); }

  testing::TempFolder temp_;
  std::optional<ChildExit> exit_;
};

TEST_F(WholeRun, TrainsEvaluatesReportsAndRepeatsACell) {
  const auto train = Londi("train " + Config());
  ASSERT_EQ(train.status, 0) << train.output;
  EXPECT_THAT(train.output,
              AllOf(HasSubstr("decisions/s"),
                    HasSubstr("updates/s"),
                    HasSubstr("training is over; actors hand over their rows, the learner"),
                    HasSubstr("lag"),
                    HasSubstr("left"),
                    HasSubstr("always-deepthink"),
                    HasSubstr("minus random")));

  const RunFolder run = *FindRun();
  const auto report = Londi("report " + run.path.string());
  EXPECT_EQ(report.status, 0);
  EXPECT_THAT(report.output,
              AllOf(HasSubstr("# Run whole"),
                    HasSubstr("success % (95 % CI)"),
                    HasSubstr("## Where the time went"),
                    HasSubstr("budget violations: 0")));
  const auto checkpoints = Londi("checkpoint inspect " + run.path.string());
  EXPECT_EQ(checkpoints.status, 0);
  EXPECT_THAT(checkpoints.output,
              AllOf(HasSubstr("whole  update "),
                    HasSubstr("disagreement_mlp"),
                    HasSubstr("restored would be checkpoint-"),
                    Not(HasSubstr("differs"))));
  const TimeUse use = ReadTimeUse(run.metrics());
  EXPECT_GE(use.decisions, 150);
  EXPECT_GE(use.tiers.at("quick").requests, use.decisions);
  EXPECT_GT(use.tiers.at("quick").batches, 0);
  EXPECT_GT(use.cpu_seconds.at("actor"), 0);
  EXPECT_EQ(use.violations, 0);

  const std::string evaluation = testing::ReadText(run.evaluation());
  const auto cells = nlohmann::json::parse(evaluation).at("cells");
  EXPECT_EQ(cells.size(), 6u);  // Quick, deepthink, random, entropy, one cost, one budget.
  for (const auto& cell : cells) EXPECT_EQ(cell.at("summary").at("budget_violations"), 0);

  const auto cell = Londi("eval " + run.path.string() + " --cost 0.05 --budget 3 --episodes 3");
  EXPECT_EQ(cell.status, 0);
  EXPECT_THAT(cell.output, AllOf(ContainsRegex("switcher +0.05 +3"), HasSubstr("3 episodes")));
  EXPECT_EQ(testing::ReadText(run.evaluation()), evaluation);  // One cell is not the whole table.

  const auto best = Londi("eval " + run.path.string() +
                          " --cost 0.05 --budget 3 --episodes 3 --oracle"
                          " --set evaluation.oracle_nodes=40");
  EXPECT_EQ(best.status, 0) << best.output;
  EXPECT_THAT(best.output,
              AllOf(ContainsRegex("switcher +0.05 +3"),
                    ContainsRegex("hindsight-oracle +0.05 +3"),
                    HasSubstr("sees the future"),
                    ContainsRegex("c=0.05 B=3 +minus hindsight-oracle B=3")));

  const auto tokens =
      Londi("eval " + run.path.string() + " --cost 0 --budget 60 --episodes 3 --json " +
            (temp_ / "tokens.json").string() +
            " --set actor.terms.budget_unit=tokens --set actor.terms.call_price=20");
  EXPECT_EQ(tokens.status, 0) << tokens.output;
  EXPECT_THAT(tokens.output, HasSubstr("B in tokens of DEEPTHINK; budget violations: 0"));
  const auto cell_of_tokens =
      nlohmann::json::parse(testing::ReadText(temp_ / "tokens.json")).at("cells").at(0);
  for (const auto& episode : cell_of_tokens.at("episodes"))
    EXPECT_LE(episode.at("deepthink_tokens"), 60);

  const auto others = Londi("eval " + run.path.string() +
                            " --baselines last,disagreement --set evaluation.cap_baselines=true"
                            " --oracle --set evaluation.oracle_nodes=20 --average-calls 2");
  EXPECT_EQ(others.status, 0) << others.output;
  EXPECT_THAT(others.output, ContainsRegex("c=0.05 B=2 +minus last B=2"));
  EXPECT_THAT(others.output, ContainsRegex("wanted 2: c=.+ makes .+ there, .+ here; "));
  EXPECT_THAT(others.output, Not(ContainsRegex("c=0.05 +minus last B=2")));
  std::vector<std::pair<std::string, nlohmann::json>> rows;  // Name, budget.
  const auto table = nlohmann::json::parse(testing::ReadText(run.evaluation()));
  for (const auto& row : table.at("cells")) rows.emplace_back(row.at("name"), row.at("budget"));
  EXPECT_THAT(rows,
              ElementsAre(Pair("always-quick", nullptr),
                          Pair("always-deepthink", nullptr),
                          Pair("last", nullptr),
                          Pair("disagreement", nullptr),
                          Pair("last", 2),
                          Pair("disagreement", 2),
                          Pair("switcher", nullptr),
                          Pair("switcher", 2),
                          Pair("switcher-average", nullptr),
                          Pair("hindsight-oracle", nullptr),
                          Pair("hindsight-oracle", 2)));
  EXPECT_THAT(others.output, Not(ContainsRegex("c=0.05 +minus hindsight-oracle B=2")));
}

TEST_F(WholeRun, AnotherRunLearnsFromItsRowsWithoutActing) {
  const auto acted = Londi("train --no-evaluation " + Config());
  ASSERT_EQ(acted.status, 0) << acted.output;
  const RunFolder before = *FindRun();
  const learner::SegmentLog rows(before.transitions(), {});
  const std::string again = "train " + Config() + " --set run.rows_from=" + before.path.string() +
                            " --set run.folder=" + (temp_ / "again").string();

  const auto learned = Londi(again);

  ASSERT_EQ(learned.status, 0) << learned.output;
  EXPECT_THAT(
      learned.output,
      AllOf(HasSubstr("training is over; the learner writes"), HasSubstr("always-deepthink")));
  const RunFolder after{std::filesystem::directory_iterator(temp_ / "again")->path()};
  const learner::SegmentLog copied(after.transitions(), {});
  EXPECT_EQ(copied.end(), rows.end());
  const ProgressSample work = ReadTrained(after).work;
  EXPECT_EQ(work.decisions, 0);
  EXPECT_EQ(work.updates,
            UpdatesFrom(rows.end(), {.batch = {.batch_size = 32}, .rate = {.min_rows = 100}}));
  EXPECT_THAT(testing::ReadText(after.report()), HasSubstr("rows of the run"));
  EXPECT_THAT(testing::ReadText(after.events()),
              AllOf(HasSubstr("learner"), Not(HasSubstr("actor")), Not(HasSubstr("inference"))));

  const auto few = Londi(again + " --set learner.rate.min_rows=100000 --set run.name=few");
  EXPECT_EQ(few.status, 2) << few.output;
  EXPECT_THAT(few.output, AllOf(HasSubstr("rows"), HasSubstr("why: "), HasSubstr("fix: ")));
  const auto none = Londi(again + " --set run.rows_from=not-there --set run.name=none");
  EXPECT_EQ(none.status, 1) << none.output;
  EXPECT_THAT(none.output,
              AllOf(HasSubstr("not-there is not a run"),
                    HasSubstr("fix: name the folder of a run, or of its runs")));
  const auto threads = Londi(again + " --in-process --set run.name=threads");
  EXPECT_EQ(threads.status, 2) << threads.output;
  EXPECT_THAT(threads.output, HasSubstr("fix: leave --in-process out"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(temp_ / "again"), {}), 1);
}

TEST_F(WholeRun, KilledWorkerAndActorAreReplacedAndNoRowIsDoubled) {
  ChildProcess train(
      {.name = "train",
       .executable = LONDI_BINARY,
       .arguments =
           {"train", Config(), "--set", "run.max_decisions=0", "--set", "run.duration=10min"},
       .output = temp_ / "train.out"});
  for (const char* role : {"inference.quick.0", "actor.0"}) {
    const std::int64_t then = Decisions();
    WaitFor(train, [&] { return Decisions() > then + 50; });
    ASSERT_EQ(Lives(role).size(), 1u) << Said();
    kill(Lives(role).front(), SIGKILL);
    WaitFor(train, [&] { return Lives(role).size() == 2; });
  }
  const std::int64_t then = Decisions();
  WaitFor(train, [&] { return Decisions() > then + 50; });
  train.Signal(SIGINT);
  WaitFor(train, [] { return false; });

  ASSERT_TRUE(exit_) << Said();
  EXPECT_EQ(exit_->status, 130) << Said();  // Interrupted, but in order.
  EXPECT_EQ(Lives("inference.quick.0").size(), 2u);
  EXPECT_EQ(Lives("inference.deepthink.0").size(), 1u);
  EXPECT_EQ(Lives("learner").size(), 1u);
  EXPECT_FALSE(std::filesystem::is_empty(FindRun()->checkpoints()));
  const learner::SegmentLog log(FindRun()->transitions(), {});
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> last;  // By (actor, incarnation).
  for (std::int64_t row = log.begin(); row < log.end(); ++row) {
    const learner::StoredRow& stored = log.row(row);
    std::int64_t& sequence = last[{stored.actor, stored.incarnation}];
    ASSERT_EQ(stored.sequence, sequence + 1);
    sequence = stored.sequence;
  }
  EXPECT_EQ(last.size(), 2u);  // Both lives of the actor.
}

TEST_F(WholeRun, ARunThatIsKilledWhileItsRolesEndLearnsAgainWhatNoCheckpointHas) {
  {
    ChildProcess train({.name = "train",
                        .executable = LONDI_BINARY,
                        .arguments = {"train",
                                      Config(),
                                      "--no-evaluation",
                                      "--set",
                                      "run.max_decisions=400",
                                      "--set",
                                      "learner.checkpoint_every=1h"},
                        .output = temp_ / "train.out"});
    WaitFor(train, [&] {
      const auto run = FindRun();
      return run && ReadTotals(*run).Range("learner", counter::kUpdates).second > 0;
    });
    ASSERT_EQ(Lives("learner").size(), 1u) << Said();
    kill(Lives("learner").front(), SIGSTOP);  // So that there is time: actors cannot hand over.
    WaitFor(train, [&] { return Said().find("training is over") != std::string::npos; });
    ASSERT_FALSE(exit_) << Said();
    ASSERT_THAT(Said(), HasSubstr("training is over"));
  }
  const auto learned = [&] {
    return learner::InspectCheckpoints(FindRun()->checkpoints()).front().updates;
  };
  ASSERT_EQ(learned(), 0);
  const std::string resume = "train --no-evaluation --resume " + FindRun()->path.string();

  const auto resumed = Londi(resume);

  EXPECT_EQ(resumed.status, 0) << resumed.output;
  EXPECT_THAT(
      resumed.output,
      AllOf(HasSubstr("the session before did not end in order"), HasSubstr("training for")));
  EXPECT_GT(learned(), 0);
  const auto again = Londi(resume);
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_THAT(again.output,
              AllOf(HasSubstr("has reached run.max_decisions (400); raise that"),
                    Not(HasSubstr("training for"))));
}

TEST_F(WholeRun, InOneProcessItIsInterruptedAndGoesOn) {
  ChildProcess train(
      {.name = "train",
       .executable = LONDI_BINARY,
       .arguments = {"train", Config(), "--in-process", "--set", "run.max_decisions=0"},
       .output = temp_ / "train.out"});
  WaitFor(train, [&] {
    const auto run = FindRun();
    return run && !std::filesystem::is_empty(run->checkpoints());
  });
  train.Signal(SIGINT);
  WaitFor(train, [] { return false; });
  ASSERT_TRUE(exit_) << Said();
  EXPECT_EQ(exit_->status, 130) << Said();
  EXPECT_THAT(Said(), HasSubstr("go on with: londi train --resume"));

  const std::string resume =
      "train --in-process --no-evaluation --resume " + FindRun()->path.string();
  const std::string config = testing::ReadText(FindRun()->config());
  const auto refused = Londi(resume + " --set learner.dqn.width=32");
  EXPECT_EQ(refused.status, 2) << refused.output;
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("checkpoint"),
                    HasSubstr("why: "),
                    HasSubstr("fix: set the algorithm's options (learner.dqn.width")));
  EXPECT_EQ(testing::ReadText(FindRun()->config()), config);  // Nothing was touched.

  const auto resumed = Londi(resume + " --set run.max_decisions=200");
  EXPECT_EQ(resumed.status, 0) << resumed.output;
  EXPECT_THAT(resumed.output, HasSubstr("changed: run.max_decisions"));
  EXPECT_GE(ReadTimeUse(FindRun()->metrics()).decisions, 200);
}

TEST_F(WholeRun, ARunOfProcessesThatGoesOnInOneProcessLearnsFromItsNewRows) {
  const auto begun = Londi("train --no-evaluation " + Config());
  ASSERT_EQ(begun.status, 0) << begun.output;
  const ProgressSample before = ReadTrained(*FindRun()).work;
  ASSERT_GT(before.updates, 0);

  const auto resumed = Londi(
      "train --in-process --no-evaluation --set run.max_decisions=400 "
      "--resume " +
      FindRun()->path.string());

  ASSERT_EQ(resumed.status, 0) << resumed.output;
  const ProgressSample after = ReadTrained(*FindRun()).work;
  EXPECT_GE(after.decisions, 400);
  EXPECT_GT(after.updates, before.updates);
  // A new life is newer than every older one, or the replay takes its rows for leftovers.
  const learner::SegmentLog log(FindRun()->transitions(), {});
  std::int64_t newest = 0;
  for (std::int64_t row = log.begin(); row < log.end(); ++row) {
    ASSERT_GE(log.row(row).incarnation, newest) << "row " << row;
    newest = log.row(row).incarnation;
  }
}

TEST_F(WholeRun, EvaluationWaitsForATrainingInTheSameFolderToEnd) {
  ASSERT_EQ(Londi("train --no-evaluation " + Config()).status, 0);
  const std::string eval = "eval " + FindRun()->path.string();
  {
    const RunLock training(*FindRun());
    const auto result = Londi(eval);
    EXPECT_EQ(result.status, 1) << result.output;
    EXPECT_THAT(result.output, AllOf(HasSubstr("in use"), HasSubstr("why: "), HasSubstr("fix: ")));
    EXPECT_FALSE(std::filesystem::exists(FindRun()->report()));
    // One cell writes nothing into the folder that a training needs.
    EXPECT_EQ(Londi(eval + " --cost 0.05 --episodes 2").status, 0);
  }
  EXPECT_EQ(Londi(eval).status, 0);
}

}  // namespace
}  // namespace londi::launch
