// A whole run in several processes, hurt while it runs. This binary is also the roles' executable:
// the real coordinator, actors and learner, and inference workers that serve a toy LM.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
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
#include "tests/support/counting_world.h"
#include "tests/support/listening_ports.h"
#include "tests/support/temp_folder.h"
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

configs::RunConfig TestConfig(const std::filesystem::path& folder) {
  configs::RunConfig config;
  config.run.folder = folder;
  config.run.name = "hurt";
  config.run.duration = std::chrono::seconds(120);
  config.run.num_actors = 2;
  config.run.heartbeat = milliseconds(100);
  config.run.lease = milliseconds(5000);
  config.run.metrics_every = milliseconds(500);
  config.environment.id = "babyai/GoToRedBallGrey";
  config.actor.episodes = 4;
  config.learner.batch.batch_size = 32;
  config.learner.algorithm.dqn.network.width = 16;
  config.learner.algorithm.dqn.network.layers = 1;
  config.learner.rate.min_rows = 200;
  config.learner.rate.samples_per_row = 1;
  config.learner.rate.slack = 4000;
  config.learner.checkpoint_every = std::chrono::seconds(1);
  return config;
}

// The diary as it is now.
std::vector<nlohmann::json> Events(const RunFolder& folder) {
  std::vector<nlohmann::json> events;
  std::ifstream in(folder.events());
  for (std::string line; std::getline(in, line);) {
    auto event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_object()) events.push_back(std::move(event));
  }
  return events;
}

int CountEvents(const RunFolder& folder, const std::string& event, const std::string& role) {
  int count = 0;
  for (const auto& each : Events(folder)) {
    count += each.value("event", "") == event && each.value("role", "").starts_with(role) ? 1 : 0;
  }
  return count;
}

std::map<std::string, pid_t> Pids(const RunFolder& folder) {
  std::map<std::string, pid_t> pids;
  for (const auto& event : Events(folder)) {
    if (event.value("event", "") == "role_started")
      pids[event.value("role", "")] = event.value("pid", 0);
  }
  return pids;
}

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

class ProcessRun : public ::testing::Test {
 protected:
  ProcessRun() { WriteFileAtomically(folder_.config(), configs::ToYaml(config_)); }

  // Trains until `enemy`, who acts in a thread of its own, is done and the run has come further.
  void TrainBeside(const std::function<void()>& enemy) {
    TrainUntil([&] {
      enemy();
      const std::int64_t then = Decisions();
      WaitFor([&] { return Decisions() > then + 500; });
    });
  }

  // Trains until `enemy`, in a thread of its own, is done.
  void TrainUntil(const std::function<void()>& enemy) {
    const std::jthread thread([&] {
      enemy();
      signals_.RequestStop();
    });
    const auto job = StartProcessJob({.folder = folder_,
                                      .config = config_,
                                      .signals = signals_,
                                      .clock = clock_,
                                      .logger = monitor::MakeNullLogger(),
                                      .events = events_});
    EXPECT_EQ(Train(*job,
                    {.folder = folder_,
                     .config = config_,
                     .signals = signals_,
                     .clock = clock_,
                     .terminal = terminal_}),
              TrainEnd::kInterrupted);
    over_ = true;
  }

  // Blocks until `done`, or until the run is over.
  void WaitFor(const std::function<bool()>& done) {
    while (!over_ && !done()) std::this_thread::yield(), usleep(20'000);
  }

  std::int64_t Decisions() { return ReadTotals(folder_).Sum("actor", counter::kDecisions); }

  void Kill(const std::string& role) {
    const int lives = CountEvents(folder_, "role_started", role);
    kill(Pids(folder_).at(role), SIGKILL);
    WaitFor([&] { return CountEvents(folder_, "role_started", role) > lives; });
  }

  testing::TempFolder temp_;
  configs::RunConfig config_ = TestConfig(temp_.path());
  RunFolder folder_ = CreateRunFolder(config_.run.folder, config_.run.name);
  Signals signals_;
  Terminal terminal_{std::chrono::seconds(2)};
  core::SystemClock clock_;
  monitor::EventLog events_{folder_.events(), "train"};
  std::atomic<bool> over_ = false;
};

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
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));

  const auto train = [&] {
    TrainUntil([&] {
      WaitFor([&] { return ReadTotals(folder_).Sum("learner", counter::kUpdates) > 0; });
      std::filesystem::rename(folder_.checkpoints(), temp_ / "checkpoints");
      std::ofstream(folder_.checkpoints()) << "no folder";
    });
  };

  try {
    train();
    FAIL() << "it ended as if there were a last checkpoint";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.text().what, ::testing::HasSubstr("learner: exit status 1"));
    EXPECT_THAT(error.text().fix, ::testing::HasSubstr("--resume"));
  }
  EXPECT_EQ(CountEvents(folder_, "role_stopped", "coordinator"), 1);
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
  config_.run.drain = std::chrono::seconds(3);
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

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(ProcessRun, KeepsItsKeysToItself) {
  std::vector<std::string> secrets;
  std::string command_lines;
  auto mode = std::filesystem::perms::unknown;
  TrainBeside([&] {
    WaitFor([&] { return Decisions() > 500; });
    const auto keys = transport::ReadRunKeys(folder_.keys());
    secrets = {keys.server.secret_key, keys.client.secret_key};
    mode = std::filesystem::status(folder_.keys()).permissions();
    for (const auto& [role, pid] : Pids(folder_)) {
      command_lines += ReadAll("/proc/" + std::to_string(pid) + "/cmdline");
      command_lines += ReadAll("/proc/" + std::to_string(pid) + "/environ");
    }
  });

  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(folder_.keys())) << "nobody listens to them any more";
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_THAT(command_lines, ::testing::HasSubstr("actor"));
  for (const std::string& secret : secrets) {
    EXPECT_THAT(command_lines, ::testing::Not(::testing::HasSubstr(secret)));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(ReadAll(entry.path()).find(secret), std::string::npos) << entry.path();
    }
  }
}

TEST_F(ProcessRun, WithoutSecurityRunsWithoutKeysAndSaysSoInEveryLog) {
  config_.transport.security = transport::Security::kNone;
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));
  bool had_keys = true;

  TrainBeside([&] { had_keys = std::filesystem::exists(folder_.keys()); });

  EXPECT_FALSE(had_keys);
  for (const char* role : {"coordinator", "learner", "actor.0", "inference.quick.0"}) {
    EXPECT_THAT(ReadAll(folder_.logs() / (std::string(role) + ".log")),
                ::testing::HasSubstr("transport.security is none"));
  }
}

// As after a copy of the run folder that lost the modes of its files.
TEST_F(ProcessRun, ARoleRefusesKeysThatOthersMayRead) {
  transport::WriteRunKeys(folder_.keys(), transport::MakeRunKeys());
  std::filesystem::permissions(folder_.keys(), std::filesystem::perms(0644));

  EXPECT_THROW(RunCoordinator(folder_.path), core::IoError);
  EXPECT_FALSE(std::filesystem::exists(folder_.rendezvous()));
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
