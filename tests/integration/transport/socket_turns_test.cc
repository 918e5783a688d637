#include "transport/socket_turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/support/transport_support.h"
#include "transport/zmq_socket.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::In;
using testing::Soon;

bool Comes(const std::function<bool()>& condition) {
  for (const core::TimePoint deadline = Soon(); !condition();) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// The resident comes when it is called and not by itself: who forgets to call it is found out.
constexpr std::chrono::hours kNever{1};

// A channel that counts what its socket brings.
class Counting {
 public:
  explicit Counting(milliseconds gap = SocketTurns::kGap) {
    far_.bind("inproc://counting");
    near_.connect("inproc://counting");
    turns_.emplace(
        "counting",
        monitor::MakeNullLogger(),
        std::vector<WatchedSocket*>{&watched_},
        [this] { return Round(); },
        [this] { failed_ = true; },
        gap);
  }

  void Send() { far_.send(zmq::message_t(1), zmq::send_flags::none); }
  [[nodiscard]] bool VisitUntil(int count, core::TimePoint deadline = Soon()) {
    return turns_->Visit(deadline, [this, count] { return count_ >= count; });
  }
  // Whether somebody brings so many, respectively makes so many rounds.
  bool IsBrought(int count) const {
    return Comes([&] { return count_ >= count; });
  }
  bool HasRounds(int rounds) const {
    return Comes([&] { return rounds_ >= rounds; });
  }

  SocketTurns& turns() { return *turns_; }
  int rounds() const { return rounds_; }
  int count() const { return count_; }
  bool failed() const { return failed_; }
  std::thread::id last_round_by() const { return last_round_by_; }

  std::atomic<int> waiting = 0;
  std::atomic<bool> fails = false;

  void Destroy() { turns_.reset(); }

 private:
  SocketTurns::Outlook Round() {
    if (fails) throw std::runtime_error("broken");
    ++rounds_;
    last_round_by_ = std::this_thread::get_id();
    while (watched_.may_have_input) {
      watched_.may_have_input = TryReceive(near_).has_value();
      count_ += watched_.may_have_input ? 1 : 0;
    }
    return {.again = core::TimePoint::max(), .waiting = waiting};
  }

  zmq::context_t context_;
  zmq::socket_t far_{context_, zmq::socket_type::pair};
  zmq::socket_t near_{context_, zmq::socket_type::pair};
  WatchedSocket watched_{near_};
  std::atomic<int> rounds_ = 0, count_ = 0;
  std::atomic<bool> failed_ = false;
  std::atomic<std::thread::id> last_round_by_;
  std::optional<SocketTurns> turns_;
};

// Gets to the socket, from where the resident may have to be called away, and stays for `count`.
void Insist(Counting& channel, int count) {
  while (!channel.VisitUntil(count)) channel.turns().RequestRound();
}

// Insists in a thread of its own.
class Visitor {
 public:
  Visitor(Counting& channel, int count) : thread_([&, count] { Insist(channel, count); }) {
    while (channel.last_round_by() != id()) std::this_thread::yield();
  }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  std::jthread thread_;
};

TEST(SocketTurns, AVisitorTakesWhatItWaitsForItself) {
  Counting channel;
  const Visitor visitor(channel, 1);

  channel.Send();

  EXPECT_TRUE(channel.IsBrought(1));
  EXPECT_EQ(channel.last_round_by(), visitor.id());
}

TEST(SocketTurns, OneVisitorAtATimeWhoDoesWhatOthersAskFor) {
  Counting channel;
  const Visitor first(channel, 1);
  EXPECT_FALSE(channel.VisitUntil(1));

  const int before = channel.rounds();
  channel.turns().RequestRound();
  EXPECT_TRUE(channel.HasRounds(before + 1));
  EXPECT_EQ(channel.last_round_by(), first.id());

  channel.Send();
}

TEST(SocketTurns, TheResidentBringsWhatTheOthersStillWaitForWhenAVisitorLeaves) {
  Counting channel(kNever);
  const Visitor first(channel, 1);
  channel.waiting = 1;  // A second one came, too late to be at the socket.
  channel.Send();
  EXPECT_TRUE(channel.IsBrought(1));

  channel.Send();

  EXPECT_TRUE(channel.IsBrought(2));
}

TEST(SocketTurns, TheResidentIsThereWhileNobodyVisits) {
  Counting channel;
  Insist(channel, 0);
  for (int count = 1; count <= 3; ++count) {
    channel.Send();
    EXPECT_TRUE(channel.IsBrought(count));
  }
}

TEST(SocketTurns, AVisitEndsAtItsDeadline) {
  Counting channel;
  while (!channel.VisitUntil(1, In(milliseconds(2)))) channel.turns().RequestRound();
  EXPECT_EQ(channel.count(), 0);
}

TEST(SocketTurns, AFailureEndsTheRoundsAndIsTold) {
  Counting channel;
  channel.fails = true;
  channel.turns().RequestRound();
  ASSERT_TRUE(Comes([&] { return channel.failed(); }));
  channel.fails = false;
  const int rounds = channel.rounds();

  // Whoever comes is not kept.
  (void)channel.VisitUntil(1, core::TimePoint::max());

  EXPECT_EQ(channel.rounds(), rounds);
}

TEST(SocketTurns, TheLastRoundIsAtTheEnd) {
  Counting channel;
  Insist(channel, 0);
  const int rounds = channel.rounds();

  channel.Destroy();

  EXPECT_GT(channel.rounds(), rounds);
}

// Eight threads each wait for their own share of a thousand messages, by whatever turns.
TEST(SocketTurns, NobodyIsForgotten) {
  Counting channel(kNever);
  constexpr int kThreads = 8, kEach = 250;
  channel.waiting = 1;
  std::atomic<int> sent = 0;
  std::mutex sending;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        int target = 0;
        {
          std::lock_guard lock(sending);
          channel.Send();
          target = ++sent;
        }
        EXPECT_TRUE(channel.VisitUntil(target) || channel.IsBrought(target));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(channel.count(), kThreads * kEach);
}

}  // namespace
}  // namespace londi::transport
