// Who calls the resident, and when. What goes on at real sockets:
// tests/integration/transport/socket_turns_test.cc.
#include "transport/socket_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/transport_support.h"

namespace londi::transport {
namespace {

using testing::Soon;

// A channel without sockets, whose resident comes when it is called and not by itself: so only a
// turn that is handed over makes it come.
class Channel {
 public:
  Channel() {
    turns_.emplace(
        "turns",
        monitor::MakeNullLogger(),
        std::vector<WatchedSocket*>{},
        [this] { return Round(); },
        [] {},
        std::chrono::hours(1));
  }

  SocketTurns& turns() { return *turns_; }
  void Destroy() { turns_.reset(); }

  // One round by the caller.
  [[nodiscard]] bool VisitOnce() {
    return turns_->Visit(Soon(), [] { return true; });
  }
  // Asks for rounds until one was made by the resident, and for the next ones until it has left.
  void CallTheResidentAndSeeItLeave() {
    turns_->RequestRound();
    ASSERT_TRUE(ResidentComes());
    while (!VisitOnce()) turns_->RequestRound();
  }
  // Whether the resident has made a round since the last question, or makes one.
  bool ResidentComes() {
    std::unique_lock lock(mutex_);
    return made_.wait_until(lock, Soon(), [&] { return std::exchange(resident_came_, false); });
  }
  int rounds() {
    const std::lock_guard lock(mutex_);
    return rounds_;
  }

  std::atomic<int> waiting = 0;
  std::function<void()> during_a_visit = [] {};  // Set while the resident sleeps.

 private:
  SocketTurns::Outlook Round() {
    const bool by_visitor = std::this_thread::get_id() == test_;
    if (by_visitor) during_a_visit();
    const std::lock_guard lock(mutex_);
    ++rounds_;
    resident_came_ |= !by_visitor;
    made_.notify_all();
    return {.again = core::TimePoint::max(), .waiting = waiting};
  }

  const std::thread::id test_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable made_;
  int rounds_ = 0;  // Guarded by mutex_, as is below.
  bool resident_came_ = false;
  std::optional<SocketTurns> turns_;
};

TEST(SocketTurnsHandOver, WhoLeavesWhileOthersWaitGivesTheTurnToTheResident) {
  Channel channel;
  channel.waiting = 1;  // Somebody else: the visitor has what it came for.

  ASSERT_TRUE(channel.VisitOnce());

  EXPECT_TRUE(channel.ResidentComes());
}

TEST(SocketTurnsHandOver, WhoGivesUpWaitsNoMoreButOthersDo) {
  Channel channel;
  channel.waiting = 2;

  ASSERT_TRUE(channel.turns().Visit(core::TimePoint{}, [] { return false; }));

  EXPECT_TRUE(channel.ResidentComes());
}

TEST(SocketTurnsHandOver, WhatIsAskedOfAVisitorWithNoTimeLeftIsDoneByTheResident) {
  Channel channel;
  channel.waiting = 1;  // The visitor itself.
  channel.during_a_visit = [&] { channel.turns().RequestRound(); };

  ASSERT_TRUE(channel.turns().Visit(core::TimePoint{}, [] { return false; }));

  EXPECT_TRUE(channel.ResidentComes());
}

TEST(SocketTurnsHandOver, WhatIsAskedWhileNobodyIsThereIsDoneByTheResident) {
  Channel channel;

  channel.turns().RequestRound();

  EXPECT_TRUE(channel.ResidentComes());
}

TEST(SocketTurnsHandOver, WhoLeavesWithNobodyWaitingCallsNobody) {
  for (const bool gives_up : {false, true}) {
    Channel channel;
    channel.CallTheResidentAndSeeItLeave();
    channel.waiting = gives_up ? 1 : 0;
    const int before = channel.rounds();

    ASSERT_TRUE(channel.turns().Visit(core::TimePoint{}, [&] { return !gives_up; }));
    channel.Destroy();

    EXPECT_EQ(channel.rounds(), before + 2) << "the visitor's and the last one";
  }
}

}  // namespace
}  // namespace londi::transport
