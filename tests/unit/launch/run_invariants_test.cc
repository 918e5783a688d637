#include "launch/run_invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "launch/child_process.h"
#include "learner/replay/segment_log.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"
#include "transport/spool_journal.h"

namespace londi::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Row = learner::StoredRow;

// Rows 1, 2, ... of one episode with a budget of 2.
Row MakeRow(std::int64_t sequence, std::int32_t remaining, bool activated = false) {
  Row row;
  row.sequence = sequence;
  row.actor = 1;
  row.incarnation = 1;
  row.step = static_cast<std::int32_t>(sequence);
  row.remaining = remaining;
  row.flags = activated ? Row::kActivated : 0;
  row.weights = 5;
  return row;
}

std::vector<std::string> Violations(const std::vector<Row>& rows, bool may_begin_late = false) {
  RowInvariants invariants(may_begin_late);
  for (const Row& row : rows) invariants.Add(row);
  return invariants.violations();
}

TEST(RowInvariants, HoldForHealthyRows) {
  Row other = MakeRow(1, -1, true);  // Without a budget; another stream in between.
  other.actor = 2;
  Row next = MakeRow(2, -1, true);
  next.actor = 2;
  EXPECT_THAT(Violations({MakeRow(1, 2, true), other, MakeRow(2, 1, true), next, MakeRow(3, 0)}),
              IsEmpty());
}

TEST(RowInvariants, NoRowTwice) {
  EXPECT_THAT(Violations({MakeRow(1, 2), MakeRow(1, 2)}), ElementsAre(HasSubstr("is there twice")));
}

TEST(RowInvariants, NoRowMissing) {
  EXPECT_THAT(Violations({MakeRow(1, 2), MakeRow(3, 2)}), ElementsAre(HasSubstr("missing")));
  EXPECT_THAT(Violations({MakeRow(2, 2)}), ElementsAre(HasSubstr("missing")));
  EXPECT_THAT(Violations({MakeRow(2, 2), MakeRow(3, 2)}, true), IsEmpty());
}

TEST(RowInvariants, NoBudgetOverdrawn) {
  EXPECT_THAT(Violations({MakeRow(1, -2)}), ElementsAre(HasSubstr("below 0")));
  EXPECT_THAT(Violations({MakeRow(1, 0, true)}), ElementsAre(HasSubstr("nothing left")));
  EXPECT_THAT(Violations({MakeRow(1, 2, true), MakeRow(2, 2)}),
              ElementsAre(HasSubstr("2 left of its budget instead of 1")));
}

TEST(RowInvariants, APriceIsTakenOffAndNeverMoreThanThereIs) {
  Row call = MakeRow(1, 40, true);
  call.set_price(25);
  EXPECT_THAT(Violations({call, MakeRow(2, 15)}), IsEmpty());
  EXPECT_THAT(Violations({call, MakeRow(2, 39)}), ElementsAre(HasSubstr("instead of 15")));
  call.set_price(41);
  EXPECT_THAT(Violations({call}), ElementsAre(HasSubstr("spends 41 with 40 left")));
}

TEST(RowInvariants, NoOlderWeightsWithinAnEpisode) {
  Row older = MakeRow(2, 2);
  older.weights = 4;
  EXPECT_THAT(Violations({MakeRow(1, 2), older}), ElementsAre(HasSubstr("v4 after v5")));
  older.episode = 9;
  EXPECT_THAT(Violations({MakeRow(1, 2), older}), IsEmpty());
}

class RunInvariants : public ::testing::Test {
 protected:
  RunInvariants() {
    learner::SegmentLog log(folder_.transitions(), config_.transition_log);
    log.Append(std::vector{testing::MakeTransition({})});
    Metrics("actor.1", 7, R"({"londi_weights_version": 3})");
  }
  void Metrics(const std::string& role, int pid, const std::string& metrics) {
    std::ofstream(folder_.metrics(), std::ios::app)
        << R"({"role":")" << role << R"(","pid":)" << pid << R"(,"metrics":)" << metrics << "}\n";
  }
  std::vector<std::string> Violations() { return CheckInvariants(folder_, config_).violations; }

  testing::TempFolder temp_;
  configs::RunConfig config_;
  RunFolder folder_ = CreateRunFolder(temp_.path(), "run");
};

TEST_F(RunInvariants, HoldForAHealthyRun) { EXPECT_THAT(Violations(), IsEmpty()); }

TEST_F(RunInvariants, ARunWithoutARowHasTestedNothing) {
  std::filesystem::remove_all(folder_.transitions());
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("no row")));
}

TEST_F(RunInvariants, WhatAnActorDecidedThatLeftInPeaceIsInTheLog) {
  std::ofstream(folder_.progress())
      << R"({"lives":[{"name":"actor.1","incarnation":1,"counters":{"decisions":50}},)"
      << R"({"name":"actor.1","incarnation":2,"counters":{"decisions":5}}]})";
  EXPECT_THAT(Violations(), IsEmpty()) << "both were killed";
  std::ofstream(folder_.events()) << R"({"event":"member_left","name":"actor.1","incarnation":2})";
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("actor.1 (life 2) decided 5 times")));
}

TEST_F(RunInvariants, WhatBoundariesDecidedIsNoRow) {
  std::ofstream(folder_.events()) << R"({"event":"member_left","name":"actor.0","incarnation":1})";
  const auto said = [&](int boundary_decisions) {
    std::ofstream(folder_.progress())
        << R"({"lives":[{"name":"actor.0","incarnation":1,"counters":{"decisions":5,)"
        << R"("boundary_decisions":)" << boundary_decisions << "}}]}";
    return Violations();
  };
  EXPECT_THAT(said(4), IsEmpty());
  EXPECT_THAT(said(3), ElementsAre(HasSubstr("decided 2 times")));
}

// Up to the one decision that each of its episodes had just taken.
TEST_F(RunInvariants, WithASpoolOnDiskWhatAKilledActorDecidedIsInTheLogOrInItsSpool) {
  config_.transport.spool = transport::SpoolKind::kDisk;
  config_.actor.episodes = 4;
  std::ofstream(folder_.progress())
      << R"({"lives":[{"name":"actor.0","incarnation":1,"counters":{"decisions":20}}]})";
  EXPECT_THAT(Violations(),
              ElementsAre(HasSubstr("actor.0 (life 1) decided 20 times and was killed, 1 rows")));

  const auto session =
      std::make_shared<transport::Session>(core::RunId(7), core::Epoch(1), core::Incarnation(1));
  const auto row = [](std::int64_t sequence) {
    return testing::MakeTransition({.sequence = sequence});
  };
  transport::SpoolJournal journal(folder_.spool(), session, row(2), 32);
  for (std::int64_t i = 3; i <= 16; ++i) journal.Write(row(i));
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("1 rows"))) << "row 2 is nowhere";
  journal.Write(row(2));
  EXPECT_THAT(Violations(), IsEmpty());
}

TEST_F(RunInvariants, WeightsOfAnActorNeverGoBack) {
  Metrics("actor.1", 8, R"({"londi_weights_version": 0})");  // Another life.
  EXPECT_THAT(Violations(), IsEmpty());
  Metrics("actor.1", 7, R"({"londi_weights_version": 2})");
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("from weights v3 to v2")));
}

TEST_F(RunInvariants, NothingCountedThatMustNotHappen) {
  Metrics("learner", 9, R"({"londi_rows_lost_total": 4})");
  Metrics(
      "actor.1", 7, R"({"londi_weights_version": 3, "londi_actor_budget_violations_total": 1})");
  EXPECT_THAT(Violations(),
              ElementsAre(HasSubstr("learner counted 4 rows"), HasSubstr("actor.1 counted 1")));
}

TEST_F(RunInvariants, NoProcessIsLeft) {
  const ChildProcess orphan(
      {.name = "orphan",
       .executable = "/bin/sh",
       .arguments = {"-c", "kill -STOP $$", "sh", "--run", folder_.path.string()},
       .output = "/dev/null"});
  EXPECT_THAT(Violations(), ElementsAre(HasSubstr("of the run is left")));
}

}  // namespace
}  // namespace londi::launch
