// A whole run in several processes, hurt while it runs. This binary is also the roles' executable:
// the real coordinator, actors and learner, and inference workers that serve a toy LM.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "launch/child_process.h"
#include "launch/process_job.h"
#include "launch/progress_totals.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "launch/run_invariants.h"
#include "launch/train_run.h"
#include "launch/wiring.h"
#include "learner/checkpoint.h"
#include "tests/e2e/launch/process_run_support.h"
#include "tests/support/counting_world.h"
#include "tests/support/listening_ports.h"
#include "transport/run_keys.h"
#include "transport/zmq_lm_server.h"
#include "transport/zmq_socket.h"

namespace londi::launch {

// In place of the real one, which needs a model folder.
int RunInference(const std::filesystem::path& run_folder, core::Tier tier, int index) {
  const std::string name =
      std::string("inference.") + core::TierName(tier) + "." + std::to_string(index);
  RoleProcess process(
      run_folder, {.name = name, .role = transport::Role::kInference, .tier = tier}, {});
  const auto server = transport::MakeZmqLmServer(process.channels());
  process.registry().Announce({{transport::kLmEndpoint, server->endpoint()}});
  testing::CountingLm lm(tier);
  std::int64_t answered = 0;
  while (!process.ShouldStop()) {
    process.registry().Report({{counter::kRequests, answered}});
    const auto request =
        server->Receive(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    if (!request) continue;
    server->Reply(request->ticket, lm.Propose(request->request));
    ++answered;
  }
  process.registry().Leave();
  return 0;
}

namespace {

using std::chrono::milliseconds;

// Raw bytes, beginning like nothing ZeroMQ knows, and a broken greeting.
void SendNoise(std::uint16_t port, std::mt19937& random) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::string bytes(1 + random() % 4000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (attempt % 2 == 0) bytes = "\xff" + std::string(8, '\0') + "\x7f" + bytes;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      [[maybe_unused]] const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    close(fd);
  }
}

// Messages that ZeroMQ must not deliver, or, with the keys of the run, that londi must refuse.
void SendBadFrames(std::uint16_t port,
                   std::mt19937& random,
                   const std::optional<transport::RunKeys>& keys) {
  monitor::Metrics metrics;
  transport::Sockets sockets(keys, metrics, monitor::MakeNullLogger());
  zmq::socket_t dealer = transport::MakeSocket(sockets,
                                               zmq::socket_type::dealer,
                                               transport::SocketEnd::kConnects,
                                               {.linger = milliseconds(200)});
  dealer.set(zmq::sockopt::sndtimeo, 500);
  transport::Connect(dealer, "tcp://127.0.0.1:" + std::to_string(port));
  for (int i = 0; i < 100; ++i) {
    std::string bytes(random() % 400, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (i % 3 == 0) bytes = "LOND" + bytes;
    static_cast<void>(dealer.send(zmq::buffer(bytes), zmq::send_flags::none));
  }
}

TEST_F(ProcessRun, SurvivesKilledActorsWorkersAndLearnerWithoutLosingOrDoublingARow) {
  TrainBeside([&] {
    WaitFor([&] { return Decisions() > 800; });
    Kill("actor.0");
    WaitFor([&] { return Decisions() > 1600; });
    Kill("inference.quick.0");
    WaitFor([&] { return Decisions() > 2400; });
    Kill("inference.deepthink.0");
    WaitFor([&] { return Decisions() > 3200; });
    Kill("learner");
  });

  for (const char* role : {"actor.0", "inference.quick.0", "inference.deepthink.0", "learner"}) {
    EXPECT_EQ(CountEvents(folder_, "role_started", role), 2) << role;
  }
  EXPECT_EQ(CountEvents(folder_, "role_failed", "actor.1"), 0);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

// Rows come to each life before it has restored, and some of them are the last it takes.
TEST_F(ProcessRun, ALearnerKilledAsSoonAsItTakesRowsLosesAndDoublesNone) {
  const auto lives_that_took_rows = [&] {
    std::ifstream in(folder_.logs() / "learner.log");
    int lives = 0;
    for (std::string line; std::getline(in, line);)
      lives += line.find("sends transitions") != std::string::npos &&
                       line.find("actor=0") != std::string::npos
                   ? 1
                   : 0;
    return lives;
  };
  const auto has_learned = [&] {
    return ReadTotals(folder_).Sum("learner", counter::kUpdates) > 0;
  };

  TrainBeside([&] {
    WaitFor([&] { return Decisions() > 1600 && has_learned(); });
    for (int lives = 1; lives <= 3; ++lives) {
      WaitFor([&] { return lives_that_took_rows() >= lives; });
      Kill("learner");
    }
  });

  EXPECT_EQ(CountEvents(folder_, "role_started", "learner"), 4);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

TEST_F(ProcessRun, AStopWhileTheLearnerThrottlesGivesUpNoRow) {
  config_.learner.rate = {.samples_per_row = 20'000, .min_rows = 100, .slack = 20'000};
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  // More than the 4096 rows that each actor may send before it hears from the learner: the others
  // are in the spools.
  TrainUntil([&] { WaitFor([&] { return Decisions() > 12'000; }); });

  EXPECT_EQ(CountEvents(folder_, "role_killed", ""), 0);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

TEST_F(ProcessRun, ARunWhoseLearnerFailsAtItsLastCheckpointDoesNotEndWell) {
  config_.learner.checkpoint_every = std::chrono::hours(1);
  config_.run.max_decisions = 3000;
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  const auto train = [&] {
    const std::jthread enemy([&] {  // As early as it can: a fast machine is soon done.
      WaitFor([&] { return std::filesystem::exists(folder_.checkpoints() / "LATEST"); });
      std::filesystem::rename(folder_.checkpoints(), temp_ / "checkpoints");
      std::ofstream(folder_.checkpoints()) << "no folder";
    });
    TrainToTheEnd();
  };
  const auto newest = [&] { return learner::InspectCheckpoints(folder_.checkpoints()).front(); };

  try {
    train();
    FAIL() << "it ended as if there were a last checkpoint";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.text().what, ::testing::HasSubstr("learner: exit status 1"));
    EXPECT_THAT(error.text().fix, ::testing::HasSubstr("--resume"));
  }
  EXPECT_EQ(CountEvents(folder_, "role_stopped", "coordinator"), 1);

  // Going on with it learns again what is in no checkpoint, although the limit is reached.
  std::filesystem::remove(folder_.checkpoints());
  std::filesystem::rename(temp_ / "checkpoints", folder_.checkpoints());
  EXPECT_EQ(newest().updates, 0);
  EXPECT_FALSE(IsOver(folder_, config_, ReadTrained(folder_)));
  EXPECT_EQ(TrainToTheEnd(), TrainEnd::kFinished);
  EXPECT_GT(newest().updates, 0);
  EXPECT_TRUE(IsOver(folder_, config_, ReadTrained(folder_)));
}

TEST_F(ProcessRun, ARunWhoseLearnerHangsAtItsEndDoesNotEndWell) {
  config_.run.drain = std::chrono::seconds(1);
  config_.actor.drain = milliseconds(500);
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  const auto train = [&] {
    TrainUntil([&] {
      WaitFor([&] { return Updates() > 0; });
      kill(Pids(folder_).at("learner"), SIGSTOP);
    });
  };

  try {
    train();
    FAIL() << "it ended as if there were a last checkpoint";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.text().what, ::testing::HasSubstr("learner: killed after run.drain (1s)"));
  }
  EXPECT_EQ(CountEvents(folder_, "role_killed", "learner"), 1);
}

// A run that has reached learner.max_updates, as long as its actors hand over.
TEST_F(ProcessRun, ALearnerThatHasLearnedItsLastAndCanTakeNoMoreRowsIsReplaced) {
  config_.learner.max_updates = 1;
  config_.learner.rate.slack = 1e9;
  config_.learner.ingest.wait_for_room = std::chrono::seconds(0);
  config_.transition_log.segment_bytes = 1 << 20;
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));
  const auto job = Start();
  const auto go_on_until = [&](const std::function<bool()>& done) {
    const core::TimePoint deadline = clock_.Now() + std::chrono::seconds(100);
    while (!done() && clock_.Now() < deadline) {
      job->Poll();
      signals_.WaitUntil(clock_.Now() + milliseconds(50));
    }
    EXPECT_TRUE(done());
  };
  go_on_until([&] { return Updates() == 1; });

  const rlimit full{(1 << 20) - 1, RLIM_INFINITY};
  ASSERT_EQ(prlimit(Pids(folder_).at("learner"), RLIMIT_FSIZE, &full, nullptr), 0);
  go_on_until([&] { return CountEvents(folder_, "role_started", "learner") == 2; });

  EXPECT_EQ(CountEvents(folder_, "role_failed", "learner"), 1);
  job->Stop([] { return false; });
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

// The learner throttles, so the spools are full of rows when it happens.
TEST_F(ProcessRun, WithASpoolOnDiskTheRowsOfAKilledActorReachTheLogOnce) {
  config_.learner.rate = {.samples_per_row = 20'000, .min_rows = 100, .slack = 20'000};
  config_.transport.spool = transport::SpoolKind::kDisk;
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  TrainUntil([&] {
    WaitFor([&] { return Decisions() > 12'000; });
    Kill("actor.0");
    WaitFor([&] { return CountEvents(folder_, "rows_handed_over", "actor.0") == 1; });
  });

  EXPECT_EQ(CountEvents(folder_, "rows_handed_over", ""), 1);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.spool())) << "everything was handed over";
}

TEST_F(ProcessRun, AStopWhileTheWorkersHangGivesUpNoRow) {
  config_.run.drain = std::chrono::seconds(10);
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  TrainUntil([&] {
    WaitFor([&] { return Decisions() > 500; });
    for (const char* role : {"inference.quick.0", "inference.deepthink.0"}) {
      kill(Pids(folder_).at(role), SIGSTOP);
    }
  });

  EXPECT_EQ(CountEvents(folder_, "role_killed", "actor"), 0);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

TEST_F(ProcessRun, AHungActorAndAHungWorkerAreReplaced) {
  config_.run.lease = milliseconds(4000);  // A busy machine may keep a role waiting for a second.
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  TrainBeside([&] {
    for (const char* role : {"actor.0", "inference.quick.0"}) {
      const std::int64_t then = Decisions();
      WaitFor([&] { return Decisions() > then + 500; });
      kill(Pids(folder_).at(role), SIGSTOP);
      WaitFor([&] { return CountEvents(folder_, "role_started", role) == 2; });
    }
  });

  for (const char* role : {"actor.0", "inference.quick.0"}) {
    EXPECT_EQ(CountEvents(folder_, "role_hung", role), 1) << role;
    EXPECT_EQ(CountEvents(folder_, "role_started", role), 2) << role;
  }
  EXPECT_EQ(CountEvents(folder_, "role_hung", ""), 2);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

TEST_F(ProcessRun, AnActorThatHangsWhileTheCoordinatorDiesIsReplaced) {
  config_.run.lease = milliseconds(1500);
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  TrainBeside([&] {
    WaitFor([&] { return Decisions() > 500; });
    kill(Pids(folder_).at("actor.0"), SIGSTOP);
    Kill("coordinator");
    WaitFor([&] { return CountEvents(folder_, "role_started", "actor.0") == 2; });
  });

  EXPECT_EQ(CountEvents(folder_, "role_hung", "actor.0"), 1);
  EXPECT_EQ(CountEvents(folder_, "role_hung", ""), 1);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

TEST_F(ProcessRun, HostileBytesOnEverySocketChangeNothing) {
  int ports_hit = 0;
  TrainBeside([&] {
    std::mt19937 random(7);
    WaitFor([&] { return Decisions() > 500; });
    for (const auto& [role, pid] : Pids(folder_)) {
      for (const std::uint16_t port : testing::ListeningPorts(pid)) {
        SendNoise(port, random);
        SendBadFrames(port, random, std::nullopt);
        SendBadFrames(port, random, transport::ReadRunKeys(folder_.keys()));
        ++ports_hit;
      }
    }
  });

  EXPECT_GE(ports_hit, 6);  // Registry, two workers, transitions, weights twice.
  EXPECT_EQ(CountEvents(folder_, "role_failed", ""), 0);
  EXPECT_THAT(CheckInvariants(folder_, config_).violations, ::testing::IsEmpty());
}

bool IsRunning(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(stat), {}};
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text[name_end + 2] != 'Z';
}

TEST_F(ProcessRun, KillingTheDriverLeavesNoProcessBehind) {
  {
    ChildProcess driver({.name = "driver",
                         .executable = "/proc/self/exe",
                         .arguments = {"drive", "--run", folder_.path.string()}});
    WaitFor([&] { return Decisions() > 100; });
    driver.Signal(SIGKILL);
  }

  const auto pids = Pids(folder_);
  EXPECT_EQ(pids.size(), 6u);  // Coordinator, two workers, learner, two actors.
  const auto deadline = clock_.Now() + std::chrono::seconds(10);
  for (const auto& [role, pid] : pids) {
    while (IsRunning(pid) && clock_.Now() < deadline) usleep(1000);
    EXPECT_FALSE(IsRunning(pid)) << role;
  }
}

// A process that drives a run until it is killed.
int Drive(const std::filesystem::path& run) {
  const RunFolder folder = OpenRunFolder(run);
  const auto config = configs::LoadRunConfig(folder.config(), {});
  Signals signals;
  Terminal terminal;
  const core::SystemClock clock;
  monitor::EventLog events(folder.events(), "train");
  const auto job = StartProcessJob({.folder = folder,
                                    .config = config,
                                    .signals = signals,
                                    .clock = clock,
                                    .logger = monitor::MakeNullLogger(),
                                    .events = events});
  Train(*job,
        {.folder = folder,
         .config = config,
         .signals = signals,
         .clock = clock,
         .terminal = terminal});
  return 0;
}

int RunRole(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> options;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2)
    options[arguments[i]] = arguments[i + 1];
  const std::filesystem::path run = options["--run"];
  const int index = options.contains("--index") ? std::stoi(options["--index"]) : 0;
  if (arguments[0] == "drive") return Drive(run);
  if (arguments[0] == "coordinator") return RunCoordinator(run);
  if (arguments[0] == "learner") return RunLearner(run);
  if (arguments[0] == "actor") return RunActor(run, index);
  const core::Tier tier =
      options["--tier"] == "quick" ? core::Tier::kQuick : core::Tier::kDeepthink;
  return RunInference(run, tier, index);
}

}  // namespace
}  // namespace londi::launch

int main(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-') {
    try {
      return londi::launch::RunRole({argv + 1, argv + argc});
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
