// `londi chaos` as people use it, with two real (tiny, random) LMs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "launch/run_folder.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class Chaos : public ::testing::Test {
 protected:
  Chaos() {
    testing::WriteTinyRun(temp_.path(), LONDI_GOLDEN_MODELS, R"(  checkpoint_every: 1s
run: {name: chaos, folder: runs, heartbeat: 100ms, lease: 2s, startup: 30s, metrics_every: 500ms}
transport: {spool: disk}
)");
  }

  testing::CommandResult Londi(const std::string& arguments) {
    return testing::RunCommand(std::string(LONDI_BINARY) + " " + arguments, 150);
  }
  std::string Config() const { return (temp_ / "run.yaml").string(); }

  // The only run there is.
  RunFolder Run() const { return {std::filesystem::directory_iterator(temp_ / "runs")->path()}; }

  // Event -> the roles it happened to, once per time.
  std::map<std::string, std::multiset<std::string>> Events() const {
    std::map<std::string, std::multiset<std::string>> events;
    std::ifstream in(Run().events());
    for (std::string line; std::getline(in, line);) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object()) events[event.value("event", "")].insert(event.value("role", ""));
    }
    return events;
  }

  testing::TempFolder temp_;
};

// The seed's acts are of all kinds, and hit each role, within 16 s.
TEST_F(Chaos, ARunWhoseRolesAreAllHurtInEveryWayKeepsEveryInvariant) {
  const auto chaos = Londi("chaos " + Config() + " --seed 3989 --minutes 0.8 --every 2");

  ASSERT_EQ(chaos.status, 0) << chaos.output;
  EXPECT_THAT(chaos.output,
              AllOf(HasSubstr("all invariants hold"),
                    HasSubstr("5 roles hit"),
                    ContainsRegex("log: [1-9][0-9]* rows of [1-9]"),
                    Not(HasSubstr("VIOLATED"))));
  auto events = Events();
  std::set<std::string> hit;
  for (const char* act : {"chaos_kill",
                          "chaos_pause",
                          "chaos_hang",
                          "chaos_partition",
                          "chaos_delay",
                          "chaos_disk_full"}) {
    EXPECT_FALSE(events[act].empty()) << act << "\n" << chaos.output;
    hit.insert(events[act].begin(), events[act].end());
  }
  EXPECT_THAT(
      hit,
      UnorderedElementsAre(
          "coordinator", "learner", "actor.0", "inference.quick.0", "inference.deepthink.0"));
  for (const std::string& role : hit) {
    // Nobody is given up: each life that failed was followed by another, or would have been.
    EXPECT_EQ(events["role_stopped"].count(role), 1u) << role;
  }
  EXPECT_THAT(events["role_killed"], IsEmpty()) << "every role ended in time when it was asked to\n"
                                                << testing::ReadText(Run().logs() / "actor.0.log")
                                                << testing::ReadText(Run().logs() / "learner.log");
}

TEST_F(Chaos, AViolationEndsItWithStatus1) {
  const auto train = Londi("train --no-evaluation --set run.max_decisions=50 " + Config());
  ASSERT_EQ(train.status, 0) << train.output;
  std::ofstream(Run().metrics(), std::ios::app)
      << R"({"role":"actor.0","pid":1,"metrics":{"londi_actor_budget_violations_total":1}})"
      << "\n";

  const auto chaos = Londi("chaos " + Run().path.string() + " --minutes 0.09 --every 3600");

  EXPECT_EQ(chaos.status, 1) << chaos.output;
  EXPECT_THAT(chaos.output,
              AllOf(HasSubstr("VIOLATED: actor.0 counted 1 episodes that spent more"),
                    Not(HasSubstr("all invariants hold"))));
}

TEST_F(Chaos, ARunThatHasReachedItsLastUpdateTrainsOnUnderAttack) {
  const auto train = Londi("train --no-evaluation --set learner.max_updates=1 " + Config());
  ASSERT_EQ(train.status, 0) << train.output;

  const auto chaos = Londi("chaos " + Run().path.string() + " --minutes 0.09 --every 3600");

  EXPECT_EQ(chaos.status, 0) << chaos.output;
  EXPECT_THAT(chaos.output,
              AllOf(HasSubstr("training for "),
                    ContainsRegex("log: [1-9][0-9]* rows of [1-9]"),
                    HasSubstr("all invariants hold")));
}

// The seed's only act comes 3.97 s after all roles work, and 4 s after the start peace begins.
TEST_F(Chaos, AnAttackThatHitsNobodyFails) {
  const auto chaos = Londi("chaos " + Config() + " --seed 212 --minutes 0.0834 --every 3");

  EXPECT_EQ(chaos.status, 1) << chaos.output;
  EXPECT_THAT(chaos.output,
              AllOf(HasSubstr("0 roles hit"),
                    HasSubstr("no act of the attack hit"),
                    HasSubstr("why: 1 were planned"),
                    HasSubstr("fix: attack for longer"),
                    Not(HasSubstr("all invariants hold"))));
}

}  // namespace
}  // namespace londi::launch
