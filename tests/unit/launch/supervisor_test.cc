#include "launch/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "launch/signals.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RestartPolicy, TheFirstRestartIsAtOnceAndPausesGrowUntilTheBudgetIsUsedUp) {
  testing::FakeClock clock;
  RestartPolicy policy({.budget = 4,
                        .first_pause = std::chrono::milliseconds(100),
                        .longest_pause = std::chrono::milliseconds(250)});
  const auto pause = [&] {
    return policy.OnFailure(clock.Now(), clock.Now()).value() - clock.Now();
  };

  EXPECT_EQ(pause(), std::chrono::milliseconds(0));
  EXPECT_EQ(pause(), std::chrono::milliseconds(100));
  EXPECT_EQ(pause(), std::chrono::milliseconds(200));
  EXPECT_EQ(pause(), std::chrono::milliseconds(250));
  EXPECT_FALSE(policy.OnFailure(clock.Now(), clock.Now()));
  EXPECT_EQ(policy.restarts(), 4);
}

TEST(RestartPolicy, AfterALongLifeTheRestartIsAtOnceAgain) {
  testing::FakeClock clock;
  RestartPolicy policy({.budget = 9, .first_pause = std::chrono::milliseconds(100)});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(policy.OnFailure(clock.Now(), clock.Now()));
  const core::TimePoint started = clock.Now();
  clock.Advance(std::chrono::minutes(2));

  EXPECT_EQ(policy.OnFailure(started, clock.Now()).value(), clock.Now());
}

// Real children: small shell scripts.
class SupervisorTest : public ::testing::Test {
 protected:
  ChildSpec Script(const std::string& name, const std::string& script) {
    return {.name = name,
            .executable = "/bin/sh",
            .arguments = {"-c", script},
            .environment = {{"FOLDER", temp_.path().string()}},
            .output = temp_ / (name + ".out")};
  }

  // Polls until `done` or half a minute has passed.
  void PollUntil(const std::function<bool()>& done) {
    const core::TimePoint deadline = clock_.Now() + std::chrono::seconds(30);
    while (!done() && clock_.Now() < deadline) {
      signals_.WaitUntil(
          supervisor_.NextRestart().value_or(clock_.Now() + std::chrono::milliseconds(20)));
      supervisor_.Poll();
    }
    ASSERT_TRUE(done());
  }

  int Lines(const std::string& file) {
    std::ifstream in(temp_ / file);
    int lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    return lines;
  }

  Supervisor::Stopped Stop(std::string_view prefix, std::chrono::milliseconds patience) {
    return supervisor_.Stop(prefix, clock_.Now() + patience, [&](core::TimePoint until) {
      signals_.WaitUntil(until);
      return true;
    });
  }

  testing::TempFolder temp_;
  Signals signals_;
  core::SystemClock clock_;
  monitor::EventLog events_{temp_ / "events.jsonl", "test"};
  Supervisor supervisor_{{.budget = 2,
                          .first_pause = std::chrono::milliseconds(1),
                          .longest_pause = std::chrono::milliseconds(4)},
                         {.clock = clock_, .logger = monitor::MakeNullLogger(), .events = events_}};
};

TEST_F(SupervisorTest, StartsAKilledChildAgainAtOnce) {
  supervisor_.Start(Script("actor.0", "echo up >> $FOLDER/lives; exec sleep 1000"));
  const pid_t first = supervisor_.Pid("actor.0");
  PollUntil([&] { return Lines("lives") == 1; });

  kill(first, SIGKILL);
  PollUntil([&] { return supervisor_.num_restarts() == 1; });
  EXPECT_NE(supervisor_.Pid("actor.0"), 0);  // No further look was needed.
  PollUntil([&] { return Lines("lives") == 2; });

  EXPECT_EQ(supervisor_.num_restarts(), 1);
  EXPECT_EQ(supervisor_.num_running(), 1);
}

TEST_F(SupervisorTest, ReplacesAChildThatHangsOnce) {
  supervisor_.Start(Script("actor.0", "echo up >> $FOLDER/lives; exec sleep 1000"));
  const pid_t first = supervisor_.Pid("actor.0");
  PollUntil([&] { return Lines("lives") == 1; });
  kill(first, SIGSTOP);

  supervisor_.KillHung("actor.1", first);  // Nobody's.
  supervisor_.Poll();
  EXPECT_EQ(supervisor_.Pid("actor.0"), first);
  supervisor_.KillHung("actor.0", first);
  PollUntil([&] {
    supervisor_.KillHung("actor.0", first);  // Still said of the old one.
    return Lines("lives") == 2;
  });

  EXPECT_EQ(supervisor_.num_restarts(), 1);
  EXPECT_NE(supervisor_.Pid("actor.0"), first);
}

TEST_F(SupervisorTest, ReplacesAChildThatHangsWhileItStarts) {
  Supervisor supervisor({.budget = 2, .first_pause = std::chrono::milliseconds(1), .startup = {}},
                        {.clock = clock_, .logger = monitor::MakeNullLogger(), .events = events_});
  supervisor.Start(Script("learner", "exec sleep 1000"));
  supervisor.Start(Script("actor.0", "exec sleep 1000"));
  const pid_t works = supervisor.Pid("learner");
  const pid_t hangs = supervisor.Pid("actor.0");
  supervisor.NoteWorking("learner", works);
  supervisor.NoteWorking("actor.0", works);  // Another's.

  const core::TimePoint deadline = clock_.Now() + std::chrono::seconds(30);
  while (supervisor.num_restarts() == 0 && clock_.Now() < deadline) supervisor.Poll();

  EXPECT_NE(supervisor.Pid("actor.0"), hangs);
  EXPECT_EQ(supervisor.Pid("learner"), works);
}

// A worker hung, and the coordinator died before it had noticed: the next one knew nobody.
TEST_F(SupervisorTest, ReplacesAChildThatHangsWhileNobodyKnowsWhoWorks) {
  testing::FakeClock clock;
  Supervisor supervisor(
      {.budget = 2, .first_pause = std::chrono::milliseconds(1), .startup = std::chrono::hours(1)},
      {.clock = clock, .logger = monitor::MakeNullLogger(), .events = events_});
  supervisor.Start(Script("learner", "exec sleep 1000"));
  supervisor.Start(Script("actor.0", "exec sleep 1000"));
  const pid_t works = supervisor.Pid("learner");
  const pid_t hangs = supervisor.Pid("actor.0");
  supervisor.NoteWorking("learner", works);
  supervisor.NoteWorking("actor.0", hangs);
  clock.Advance(std::chrono::hours(2));
  supervisor.Poll();  // They work.

  supervisor.ForgetWorking();
  clock.Advance(std::chrono::minutes(59));
  supervisor.Poll();  // They have time.
  supervisor.NoteWorking("learner", works);
  clock.Advance(std::chrono::minutes(2));
  const core::TimePoint deadline = clock_.Now() + std::chrono::seconds(30);
  while (supervisor.num_restarts() == 0 && clock_.Now() < deadline) supervisor.Poll();

  EXPECT_EQ(supervisor.num_restarts(), 1);
  EXPECT_NE(supervisor.Pid("actor.0"), hangs);
  EXPECT_EQ(supervisor.Pid("learner"), works);
}

TEST_F(SupervisorTest, GivesUpNamingTheRoleAndWhatItSaid) {
  supervisor_.Start(Script("learner", "echo no disk left; exit 3"));
  try {
    PollUntil([] { return false; });
    FAIL() << "expected core::Error";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("learner failed 3 times"),
                      HasSubstr("exit status 3"),
                      HasSubstr("no disk left"),
                      HasSubstr("--resume")));
    EXPECT_EQ(dynamic_cast<const core::ConfigError*>(&error), nullptr) << "nobody's input is wrong";
  }
}

TEST_F(SupervisorTest, AKilledProcessIsSaidToHavePrintedNothing) {
  core::SystemClock clock;
  Supervisor once({.budget = 0, .first_pause = std::chrono::milliseconds(1)},
                  {.clock = clock, .logger = monitor::MakeNullLogger(), .events = events_});
  once.Start(Script("learner", "kill -KILL $$"));
  try {
    const core::TimePoint deadline = clock.Now() + std::chrono::seconds(30);
    while (clock.Now() < deadline) once.Poll();
    FAIL() << "expected core::Error";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("learner failed: "),
                      HasSubstr("printed nothing"),
                      HasSubstr(".log beside it")));
  }
}

TEST_F(SupervisorTest, DoesNotRepeatWhatIsHopeless) {
  supervisor_.Start(Script("inference.quick.0", "echo the model is broken; exit 2"));
  EXPECT_THROW(PollUntil([] { return false; }), core::ConfigError);
  EXPECT_EQ(supervisor_.num_restarts(), 0);
}

TEST_F(SupervisorTest, AnEndThatNobodyAskedForIsAFailure) {
  supervisor_.Start(Script("actor.0", "echo up >> $FOLDER/lives; exit 0"));
  EXPECT_THROW(PollUntil([] { return false; }), core::Error);
  EXPECT_EQ(Lines("lives"), 3);
}

TEST_F(SupervisorTest, StopsByPrefixAndKillsWhatDoesNotEnd) {
  supervisor_.Start(Script(
      "actor.0", "trap 'exit 0' TERM; echo up >> $FOLDER/ready; while :; do sleep 0.01; done"));
  supervisor_.Start(
      Script("actor.1", "trap '' TERM; echo up >> $FOLDER/ready; while :; do sleep 0.01; done"));
  supervisor_.Start(Script("learner", "exec sleep 1000"));
  PollUntil([&] { return Lines("ready") == 2; });

  // As long as the one that ends takes, on a busy machine too.
  const auto wait = [&](core::TimePoint) {
    signals_.WaitUntil(clock_.Now() + std::chrono::milliseconds(10));
    return supervisor_.num_running() > 2;
  };
  EXPECT_THAT(supervisor_.Stop("actor", clock_.Now() + std::chrono::seconds(30), wait).killed,
              ElementsAre("actor.1"));
  EXPECT_EQ(supervisor_.num_running(), 1);
  supervisor_.Poll();
  EXPECT_EQ(supervisor_.num_restarts(), 0);
}

TEST_F(SupervisorTest, AChildThatFailsWhenItIsToEndIsNotTakenForOneThatEndedWell) {
  supervisor_.Start(Script(
      "actor.0", "trap 'exit 0' TERM; echo up >> $FOLDER/ready; while :; do sleep 0.01; done"));
  supervisor_.Start(Script(
      "actor.1", "trap 'exit 3' TERM; echo up >> $FOLDER/ready; while :; do sleep 0.01; done"));
  PollUntil([&] { return Lines("ready") == 2; });

  const auto stopped = Stop("actor", std::chrono::seconds(30));

  EXPECT_THAT(stopped.failed, ElementsAre("actor.1: exit status 3"));
  EXPECT_THAT(stopped.killed, ElementsAre());
}

TEST_F(SupervisorTest, StoppingTellsOfAChildThatWasToBeStartedAgain) {
  Supervisor supervisor({.budget = 2, .first_pause = std::chrono::hours(1)},
                        {.clock = clock_, .logger = monitor::MakeNullLogger(), .events = events_});
  supervisor.Start(Script("actor.0", "exit 3"));
  const core::TimePoint deadline = clock_.Now() + std::chrono::seconds(30);
  while (supervisor.num_restarts() < 2 && clock_.Now() < deadline) supervisor.Poll();
  ASSERT_EQ(supervisor.num_running(), 0);

  const auto stopped = supervisor.Stop("actor", deadline, [](core::TimePoint) { return true; });

  EXPECT_THAT(stopped.killed, ElementsAre());
  EXPECT_THAT(stopped.absent, ElementsAre("actor.0"));
  EXPECT_FALSE(supervisor.NextRestart());
  std::ifstream in(temp_ / "events.jsonl");
  const std::string events{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(events, HasSubstr("role_stopped"));
  EXPECT_THAT(events, HasSubstr("was to be started again"));
}

TEST_F(SupervisorTest, AChildWhoseNextLifeHasJustBegunIsNotTakenForOneThatEndedWell) {
  for (const char* name : {"actor.0", "actor.1"})
    supervisor_.Start(Script(name, "exec sleep 1000"));
  kill(supervisor_.Pid("actor.0"), SIGKILL);
  PollUntil([&] { return supervisor_.num_restarts() == 1 && supervisor_.num_running() == 2; });

  const auto stopped = Stop("actor", std::chrono::seconds(30));

  EXPECT_THAT(stopped.absent, ElementsAre("actor.0"));
  EXPECT_THAT(stopped.failed, ElementsAre());
}

TEST_F(SupervisorTest, WhileSomeAreStoppedTheOthersAreStartedAgain) {
  supervisor_.Start(Script("actor.0",
                           "trap '' TERM; echo up >> $FOLDER/actors; while [ ! -e $FOLDER/end ]; "
                           "do sleep 0.01; done"));
  supervisor_.Start(Script("learner", "echo up >> $FOLDER/learners; exec sleep 1000"));
  PollUntil([&] { return Lines("actors") == 1 && Lines("learners") == 1; });
  kill(supervisor_.Pid("learner"), SIGKILL);

  const auto stopped =
      supervisor_.Stop("actor", clock_.Now() + std::chrono::seconds(30), [&](core::TimePoint) {
        supervisor_.KillHung("actor.0", supervisor_.Pid("actor.0"));  // It has time until then.
        supervisor_.Poll();
        if (Lines("learners") == 2) std::ofstream(temp_ / "end") << "now";
        signals_.WaitUntil(clock_.Now() + std::chrono::milliseconds(20));
        return true;
      });

  EXPECT_THAT(stopped.killed, ElementsAre());
  EXPECT_EQ(Lines("actors"), 1);
  EXPECT_EQ(Lines("learners"), 2);
}

TEST_F(SupervisorTest, AMissingProgramIsAnIoErrorThatNamesIt) {
  ChildSpec spec = Script("actor.0", "");
  spec.executable = "/no/such/program";
  EXPECT_THROW(supervisor_.Start(spec), core::IoError);
}

// kill -9 of the parent must end the children: a middle process plays the parent.
TEST(ChildProcessTest, DiesWithItsParentHoweverThatEnds) {
  testing::TempFolder temp;
  int pids[2];
  ASSERT_EQ(pipe(pids), 0);
  const pid_t middle = fork();
  if (middle == 0) {
    ChildProcess child({.name = "child", .executable = "/bin/sleep", .arguments = {"1000"}});
    const pid_t pid = child.pid();
    [[maybe_unused]] ssize_t written = write(pids[1], &pid, sizeof(pid));
    for (;;) pause();
  }
  pid_t child = 0;
  ASSERT_EQ(read(pids[0], &child, sizeof(child)), static_cast<ssize_t>(sizeof(child)));

  kill(middle, SIGKILL);
  waitpid(middle, nullptr, 0);

  // An orphan is reaped by init; until then it is a zombie ('Z').
  const auto alive = [&] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string text{std::istreambuf_iterator<char>(stat), {}};
    const std::size_t state = text.rfind(')');
    return state != std::string::npos && text[state + 2] != 'Z';
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (alive() && std::chrono::steady_clock::now() < deadline) usleep(1000);
  EXPECT_FALSE(alive());
}

}  // namespace
}  // namespace londi::launch
