#include "launch/member_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

namespace londi::launch {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Kind = transport::RegistryEvent::Kind;

transport::RegistryEvent Event(Kind kind, const std::string& name, std::int64_t pid) {
  transport::RegistryEvent event{.kind = kind, .member = {}};
  event.member.registration.name = name;
  event.member.registration.pid = pid;
  return event;
}

TEST(LostMembers, WhoComesBackInTimeIsNotLost) {
  testing::FakeClock clock;
  LostMembers lost(seconds(10));
  lost.Note(Event(Kind::kExpired, "actor.0", 40), clock.Now());
  lost.Note(Event(Kind::kExpired, "learner", 41), clock.Now());

  clock.Advance(seconds(9));
  EXPECT_THAT(lost.At(clock.Now()), IsEmpty());
  lost.Note(Event(Kind::kJoined, "learner", 41), clock.Now());
  clock.Advance(seconds(1));
  EXPECT_THAT(lost.At(clock.Now()), ElementsAre(Pair("actor.0", 40)));

  lost.Note(Event(Kind::kJoined, "actor.0", 42), clock.Now());  // Restarted.
  EXPECT_THAT(lost.At(clock.Now()), IsEmpty());
}

TEST(LostMembers, WhoHangsWhileTheCoordinatorDiesIsLostToTheNextOne) {
  testing::FakeClock clock;
  LostMembers lost(seconds(10));
  lost.Expect({{"actor.0", 40}, {"learner", 41}}, seconds(15), clock.Now());
  lost.Note(Event(Kind::kJoined, "learner", 41), clock.Now());

  clock.Advance(seconds(24));
  EXPECT_THAT(lost.At(clock.Now()), IsEmpty());
  clock.Advance(seconds(1));
  EXPECT_THAT(lost.At(clock.Now()), ElementsAre(Pair("actor.0", 40)));
}

TEST(LostMembers, WhoLeftOrWasReplacedIsNotLost) {
  testing::FakeClock clock;
  LostMembers lost(seconds(0));
  lost.Note(Event(Kind::kLeft, "actor.0", 40), clock.Now());
  lost.Note(Event(Kind::kReplaced, "actor.1", 41), clock.Now());
  EXPECT_THAT(lost.At(clock.Now()), IsEmpty());
}

TEST(MemberHealth, IsReadAsItWasWritten) {
  const testing::TempFolder temp;
  const auto file = temp / "members.json";
  EXPECT_EQ(ReadMemberHealth(file), MemberHealth{});
  const MemberHealth health{.working = {{"learner", 39}, {"actor.0", 40}},
                            .lost = {{"inference.quick.0", 41}}};
  WriteMemberHealth(file, health);
  EXPECT_EQ(ReadMemberHealth(file), health);
  for (const char* torn : {"{\"lost\": {\"actor.0\": \"x", R"({"lost": 3})", R"([1])"}) {
    std::ofstream(file) << torn;
    EXPECT_EQ(ReadMemberHealth(file), MemberHealth{}) << torn;
  }
}

}  // namespace
}  // namespace londi::launch
