#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "tests/support/temp_folder.h"
#include "tests/support/transport_support.h"
#include "transport/registry_client.h"
#include "transport/registry_server.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::In;
using testing::Soon;

// A coordinator of run 7, found through a rendezvous file.
class Registries : public ::testing::Test {
 protected:
  static constexpr RegistryOptions kOptions{.lease = milliseconds(300),
                                            .startup_lease = milliseconds(20'000)};

  void StartCoordinator(std::int64_t epoch, const RegistryOptions& options = kOptions) {
    server_.reset();
    coordinator_ = std::make_unique<FakeProcess>(1, 7, epoch);
    server_ = MakeRegistryServer(coordinator_->context(), options);
    WriteRendezvous(file(), {server_->endpoint(), core::RunId(7), core::Epoch(epoch)});
  }

  std::unique_ptr<RegistryClient> Join(const std::string& name,
                                       Role role = Role::kActor,
                                       std::function<void()> on_change = {}) {
    const RegistryClientContext context{
        process_.sockets, process_.metrics, process_.logger, [this] {
          return ReadRendezvous(file());
        }};
    return JoinRegistry(context,
                        {.name = name, .role = role},
                        {.renew_every = milliseconds(20),
                         .watched = {Role::kInference},
                         .on_change = std::move(on_change)},
                        Soon());
  }

  // Reports until `done` holds.
  template <class Done>
  static bool WorkUntil(RegistryClient& member, Done done) {
    for (const core::TimePoint deadline = Soon(); std::chrono::steady_clock::now() < deadline;) {
      member.Report({{"steps", ++steps_}});
      if (done()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  std::filesystem::path file() const { return folder_ / "rendezvous.json"; }

  static inline std::int64_t steps_ = 0;
  testing::TempFolder folder_;
  FakeProcess process_;
  std::unique_ptr<FakeProcess> coordinator_;
  std::unique_ptr<RegistryServer> server_;
};

TEST_F(Registries, MembersGetTheirIdentity) {
  StartCoordinator(3);
  const auto first = Join("actor.a");
  const auto second = Join("actor.b");

  EXPECT_EQ(first->session()->run(), core::RunId(7));
  EXPECT_EQ(first->session()->epoch(), core::Epoch(3));
  EXPECT_NE(first->actor(), second->actor());
  EXPECT_EQ(server_->Members().size(), 2u);
}

TEST_F(Registries, AMemberMayStartBeforeTheCoordinator) {
  std::thread early([&] { EXPECT_EQ(Join("actor.a")->session()->epoch(), core::Epoch(1)); });
  StartCoordinator(1);
  early.join();
}

TEST_F(Registries, JoiningGivesUpAtTheDeadline) {
  const RegistryClientContext context{
      process_.sockets, process_.metrics, process_.logger, [] { return std::nullopt; }};
  EXPECT_THROW(JoinRegistry(context, {.name = "actor.a"}, {}, In(milliseconds(20))),
               core::UnavailableError);
}

TEST_F(Registries, JoiningSaysWhyItWasRefused) {
  StartCoordinator(1);
  EXPECT_THROW(Join(""), core::ConfigError);
}

TEST_F(Registries, MembersLearnOfWorkersAndOfTheirEnd) {
  StartCoordinator(1);
  const auto actor = Join("actor.a");
  const auto worker = Join("inference.0", Role::kInference);
  worker->Announce({{kLmEndpoint, "tcp://127.0.0.1:5"}});

  ASSERT_TRUE(
      actor->WaitForMembers(Role::kInference, Soon(), [](const std::vector<Member>& members) {
        return members.size() == 1 && members[0].registration.endpoints.count(kLmEndpoint) > 0;
      }));
  const std::int64_t version = actor->members_version();
  worker->Leave();

  EXPECT_TRUE(
      actor->WaitForMembers(Role::kInference, Soon(), [](const std::vector<Member>& members) {
        return members.empty();
      }));
  EXPECT_NE(actor->members_version(), version);
}

TEST_F(Registries, AMemberHearsOfThoseItWatchesWithoutAsking) {
  StartCoordinator(1, {.lease = milliseconds(60'000)});
  std::atomic<int> changes = 0;
  const auto actor = Join("actor.a", Role::kActor, [&] { ++changes; });
  actor->Report({{"steps", 1}});  // Renews its lease once, and then no more.
  const core::TimePoint deadline = Soon();
  const auto wait_until = [&](const auto& holds) {
    while (!holds() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return holds();
  };
  ASSERT_TRUE(wait_until([&] { return server_->Members().front().works && changes == 1; }));

  const auto worker = Join("inference.0", Role::kInference);

  EXPECT_TRUE(wait_until([&] { return actor->Members(Role::kInference).size() == 1; }));
  EXPECT_TRUE(wait_until([&] { return changes == 2; }));
}

TEST_F(Registries, WhatALeaverReportedLastIsKnown) {
  StartCoordinator(1, {.lease = milliseconds(60'000)});  // It leaves, however late.
  const auto actor = Join("actor.a");
  actor->Report({{"steps", 7}});
  actor->Leave();

  std::vector<RegistryEvent> events;
  const core::TimePoint deadline = Soon();
  while (events.size() < 2 && std::chrono::steady_clock::now() < deadline) {
    for (RegistryEvent& event : server_->TakeEvents()) events.push_back(std::move(event));
    std::this_thread::yield();
  }
  ASSERT_EQ(events.size(), 2u);  // It joined, it left.
  EXPECT_EQ(events[1].kind, RegistryEvent::Kind::kLeft);
  EXPECT_EQ(events[1].progress, (ProgressCounters{{"steps", 7}}));
}

TEST_F(Registries, AProcessThatDoesNoWorkLosesItsLease) {
  StartCoordinator(1);
  const auto busy = Join("actor.busy");
  const auto stuck = Join("actor.stuck");
  ASSERT_TRUE(
      WorkUntil(*stuck, [&] { return server_->Members().at(1).progress.count("steps") > 0; }));

  // `stuck` reports no more, though its threads are alive; `busy` goes on.
  EXPECT_TRUE(WorkUntil(*busy, [&] { return server_->Members().size() == 1; }));
  EXPECT_EQ(server_->Members().at(0).member.registration.name, "actor.busy");

  // When it works again, it is back with the same incarnation.
  EXPECT_TRUE(WorkUntil(*stuck, [&] {
    busy->Report({});
    return server_->Members().size() == 2;
  }));
  EXPECT_EQ(server_->Members().at(1).member.registration.incarnation,
            stuck->session()->incarnation());
}

TEST_F(Registries, CommandsArrive) {
  StartCoordinator(1);
  const auto actor = Join("actor.a");
  server_->SetCommand(Command::kDrain, Role::kActor);
  EXPECT_TRUE(WorkUntil(*actor, [&] { return actor->command() == Command::kDrain; }));
}

TEST_F(Registries, AReplacedProcessIsToldToStop) {
  StartCoordinator(1);
  const auto old_life = Join("actor.a");
  const auto new_life = Join("actor.a");

  EXPECT_GT(new_life->session()->incarnation(), old_life->session()->incarnation());
  EXPECT_TRUE(WorkUntil(*old_life, [&] { return old_life->command() == Command::kStop; }));
  EXPECT_EQ(new_life->command(), Command::kNone);
}

TEST_F(Registries, EverybodyRegistersAgainUnderANewEpoch) {
  StartCoordinator(1);
  const auto actor = Join("actor.a");
  const core::Incarnation incarnation = actor->session()->incarnation();

  StartCoordinator(2);

  EXPECT_TRUE(WorkUntil(*actor, [&] { return server_->Members().size() == 1; }));
  EXPECT_TRUE(WorkUntil(*actor, [&] { return actor->session()->epoch() == core::Epoch(2); }));
  EXPECT_EQ(actor->session()->incarnation(), incarnation);
  EXPECT_EQ(server_->Members().at(0).member.registration.incarnation, incarnation);
  EXPECT_EQ(actor->command(), Command::kNone);
}

// The coordinator stayed, without anybody joining, renewing or expiring.
TEST_F(Registries, ARegistryWhoseThreadFailedSaysSo) {
  StartCoordinator(1);

  coordinator_->sockets.context().shutdown();

  EXPECT_TRUE(testing::ThrowsSoon<zmq::error_t>([&] { (void)server_->Members(); }));
  EXPECT_THROW(server_->TakeEvents(), zmq::error_t);
}

TEST_F(Registries, WaitingEndsWithACommandAndAtTheDeadline) {
  StartCoordinator(1);
  const auto actor = Join("actor.a");
  const auto never = [](const std::vector<Member>&) { return false; };
  EXPECT_FALSE(actor->WaitForMembers(Role::kInference, In(milliseconds(30)), never));
  server_->SetCommand(Command::kStop);
  EXPECT_FALSE(actor->WaitForMembers(Role::kInference, core::TimePoint::max(), never));
}

}  // namespace
}  // namespace londi::transport
