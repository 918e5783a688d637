#include "transport/registry_state.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/fake_clock.h"

namespace londi::transport {
namespace {

using std::chrono::seconds;

class Registry : public ::testing::Test {
 protected:
  Registered Join(RegistryState& registry,
                  const std::string& name,
                  std::uint64_t nonce,
                  Role role = Role::kActor) {
    return std::get<Registered>(
        registry.Register({.name = name, .role = role, .nonce = nonce}, clock_.Now()));
  }
  RegistryRefusal::Kind RefusedRenewal(MemberId member) {
    return std::get<RegistryRefusal>(registry_.Renew({.member = member}, clock_.Now())).kind;
  }

  testing::FakeClock clock_;
  const RegistryOptions options_{.lease = seconds(15), .startup_lease = seconds(60)};
  RegistryState registry_{core::Epoch(3), options_};
};

TEST_F(Registry, HandsOutActorsAndIncarnations) {
  const Registered first = Join(registry_, "actor.a", 1);
  const Registered second = Join(registry_, "actor.b", 2);

  EXPECT_EQ(first.actor, core::ActorId(0));
  EXPECT_EQ(second.actor, core::ActorId(1));
  EXPECT_EQ(first.incarnation.value, (std::int64_t{3} << 32) + 1);
  EXPECT_EQ(first.lease, seconds(15));
}

TEST_F(Registry, KeepsTheActorThatWasAskedForAndRefusesATakenOne) {
  Registration wanted{
      .name = "actor.7", .role = Role::kActor, .actor = core::ActorId(7), .nonce = 1};
  EXPECT_EQ(std::get<Registered>(registry_.Register(wanted, clock_.Now())).actor, core::ActorId(7));

  wanted.name = "actor.other";
  const auto answer = registry_.Register(wanted, clock_.Now());
  EXPECT_EQ(std::get<RegistryRefusal>(answer).kind, RegistryRefusal::Kind::kInvalid);
}

TEST_F(Registry, RepeatingARegistrationChangesNothingButEndpoints) {
  const Registered first = Join(registry_, "inference.0", 1, Role::kInference);
  const std::int64_t version = registry_.members_version();
  const Registered again = Join(registry_, "inference.0", 1, Role::kInference);
  EXPECT_EQ(again.member, first.member);
  EXPECT_EQ(again.incarnation, first.incarnation);
  EXPECT_EQ(registry_.members_version(), version);

  registry_.Register(
      {.name = "inference.0", .role = Role::kInference, .endpoints = {{"lm", "x"}}, .nonce = 1},
      clock_.Now());
  EXPECT_NE(registry_.members_version(), version);
  EXPECT_EQ(registry_.Members().at(0).member.registration.endpoints.at("lm"), "x");
}

TEST_F(Registry, ARestartedProcessReplacesTheOldOne) {
  const Registered old_life = Join(registry_, "actor.0", 1);
  const Registered new_life = Join(registry_, "actor.0", 2);

  EXPECT_GT(new_life.incarnation, old_life.incarnation);
  EXPECT_EQ(new_life.actor, old_life.actor);
  EXPECT_EQ(RefusedRenewal(old_life.member), RegistryRefusal::Kind::kReplaced);
  EXPECT_EQ(registry_.Members().size(), 1u);
  const auto events = registry_.TakeEvents();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1].kind, RegistryEvent::Kind::kReplaced);
  EXPECT_TRUE(registry_.TakeEvents().empty());
}

TEST_F(Registry, LeasesExpireUnlessRenewed) {
  const Registered slow = Join(registry_, "actor.slow", 1);
  const Registered dead = Join(registry_, "actor.dead", 2);
  registry_.Renew({.member = slow.member}, clock_.Now());
  registry_.Renew({.member = dead.member}, clock_.Now());
  clock_.Advance(seconds(10));
  registry_.Renew({.member = slow.member}, clock_.Now());
  EXPECT_EQ(registry_.NextExpiry(), clock_.Now() + seconds(5));
  clock_.Advance(seconds(5));
  registry_.Expire(clock_.Now());

  ASSERT_EQ(registry_.Members().size(), 1u);
  EXPECT_EQ(registry_.Members()[0].member.id, slow.member);
  EXPECT_EQ(RefusedRenewal(dead.member), RegistryRefusal::Kind::kUnknown);
  EXPECT_EQ(registry_.TakeEvents().back().kind, RegistryEvent::Kind::kExpired);
}

TEST_F(Registry, TheFirstLeaseIsLonger) {
  Join(registry_, "inference.0", 1, Role::kInference);
  clock_.Advance(seconds(59));
  registry_.Expire(clock_.Now());
  EXPECT_EQ(registry_.Members().size(), 1u);
  clock_.Advance(seconds(1));
  registry_.Expire(clock_.Now());
  EXPECT_TRUE(registry_.Members().empty());
}

TEST_F(Registry, ANumberThatIsFreeAgainIsHandedOutAgainWithAHigherIncarnation) {
  const Registered first = Join(registry_, "actor.a", 1);
  registry_.Leave(first.member);
  const Registered second = Join(registry_, "actor.a", 2);
  EXPECT_EQ(second.actor, first.actor);
  EXPECT_GT(second.incarnation, first.incarnation);
}

TEST_F(Registry, ListsWatchedRolesOnlyWhenSomethingChanged) {
  const Registered actor = Join(registry_, "actor.0", 1);
  Join(registry_, "learner.0", 2, Role::kLearner);

  const Renewal first{.member = actor.member, .watched = {Role::kLearner}, .members_version = 0};
  const auto answer = std::get<Renewed>(registry_.Renew(first, clock_.Now()));
  ASSERT_TRUE(answer.has_members);
  ASSERT_EQ(answer.members.size(), 1u);
  EXPECT_EQ(answer.members[0].registration.name, "learner.0");

  const Renewal next{.member = actor.member,
                     .watched = {Role::kLearner},
                     .members_version = answer.members_version};
  EXPECT_FALSE(std::get<Renewed>(registry_.Renew(next, clock_.Now())).has_members);
}

TEST_F(Registry, TellsThoseWhoWatchOfEachChangeOnce) {
  const Registered actor = Join(registry_, "actor.0", 1);
  Join(registry_, "learner", 2, Role::kLearner);
  EXPECT_TRUE(registry_.TakeNews().empty());  // Nobody has said that it watches.
  Renewal renewal{.member = actor.member, .watched = {Role::kLearner}};
  (void)registry_.Renew(renewal, clock_.Now());
  Join(registry_, "actor.1", 3);
  EXPECT_TRUE(registry_.TakeNews().empty());

  Join(registry_, "learner", 4, Role::kLearner);
  const auto news = registry_.TakeNews();

  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].first, actor.member);
  ASSERT_EQ(news[0].second.members.size(), 1u);
  EXPECT_EQ(news[0].second.members[0].registration.nonce, 4u);
  EXPECT_TRUE(registry_.TakeNews().empty());
  renewal.members_version = news[0].second.members_version;
  EXPECT_FALSE(std::get<Renewed>(registry_.Renew(renewal, clock_.Now())).has_members);
}

TEST_F(Registry, RemembersWhenWorkLastProgressed) {
  const Registered actor = Join(registry_, "actor.0", 1);
  registry_.Renew({.member = actor.member, .progress = {{"decisions", 5}}}, clock_.Now());
  const core::TimePoint progressed = clock_.Now();
  clock_.Advance(seconds(3));
  registry_.Renew({.member = actor.member, .progress = {{"decisions", 5}}}, clock_.Now());

  const MemberStatus status = registry_.Members().at(0);
  EXPECT_EQ(status.progressed_at, progressed);
  EXPECT_EQ(status.renewed_at, clock_.Now());
  EXPECT_TRUE(status.works);
}

TEST_F(Registry, CommandsReachMembersAndThoseWhoJoinLater) {
  const Registered actor = Join(registry_, "actor.0", 1);
  registry_.SetCommand(Command::kStop, Role::kActor);
  registry_.SetCommand(Command::kDrain);  // Does not take the stop back.
  const Registered late = Join(registry_, "learner.0", 2, Role::kLearner);

  EXPECT_EQ(std::get<Renewed>(registry_.Renew({.member = actor.member}, clock_.Now())).command,
            Command::kStop);
  EXPECT_EQ(std::get<Renewed>(registry_.Renew({.member = late.member}, clock_.Now())).command,
            Command::kDrain);
}

TEST_F(Registry, ANewEpochGivesHigherIncarnationsAndKeepsThoseOfTheLiving) {
  const Registered living = Join(registry_, "actor.0", 1);
  const Registered gone = Join(registry_, "actor.1", 2);
  RegistryState restarted(core::Epoch(4), options_);

  const auto again = restarted.Register({.name = "actor.0",
                                         .role = Role::kActor,
                                         .actor = living.actor,
                                         .nonce = 1,
                                         .incarnation = living.incarnation},
                                        clock_.Now());
  const Registered fresh = Join(restarted, "actor.1", 3);

  EXPECT_EQ(std::get<Registered>(again).incarnation, living.incarnation);
  EXPECT_GT(fresh.incarnation, gone.incarnation);
  // The old actor.1 was only slow to come back: its successor stays.
  const auto zombie = restarted.Register(
      {.name = "actor.1", .role = Role::kActor, .nonce = 2, .incarnation = gone.incarnation},
      clock_.Now());
  EXPECT_EQ(std::get<RegistryRefusal>(zombie).kind, RegistryRefusal::Kind::kReplaced);
}

TEST_F(Registry, AnIncarnationFromAheadIsRefusedSoThatTheNextOneCannotOverflow) {
  const Registration ahead{.name = "actor.0",
                           .role = Role::kActor,
                           .nonce = 1,
                           .incarnation = core::Incarnation(INT64_MAX)};

  const auto answer = registry_.Register(ahead, clock_.Now());

  EXPECT_EQ(std::get<RegistryRefusal>(answer).kind, RegistryRefusal::Kind::kInvalid);
  EXPECT_EQ(Join(registry_, "actor.0", 2).incarnation, FirstIncarnation(core::Epoch(3)));
}

TEST_F(Registry, RefusesNamelessAndTooManyMembers) {
  RegistryState small(core::Epoch(1), {.max_members = 1});
  EXPECT_TRUE(std::holds_alternative<RegistryRefusal>(small.Register({}, clock_.Now())));
  Join(small, "actor.0", 1);
  EXPECT_TRUE(std::holds_alternative<RegistryRefusal>(
      small.Register({.name = "actor.1", .nonce = 2}, clock_.Now())));
  EXPECT_THROW(RegistryState(core::Epoch(1), {.lease = seconds(0)}), core::ConfigError);
}

}  // namespace
}  // namespace londi::transport
