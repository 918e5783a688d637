#include "launch/chaos_act.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <new>
#include <thread>

#include "launch/network_hold.h"

namespace londi::launch {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What a child's threads count up, in memory shared with it.
struct Counters {
  std::atomic<std::int64_t> work = 0;
  std::atomic<std::int64_t> network = 0;
};

void CountForEver(std::atomic<std::int64_t>& counter) {
  while (true) {
    ++counter;
    usleep(500);
  }
}

// A child that works in one thread and looks after its "sockets" in another.
class ChaosActTest : public ::testing::Test {
 protected:
  ChaosActTest()
      : counters_(*new (mmap(
            nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                      Counters) {
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::thread([this] {
      pthread_setname_np(pthread_self(), "ZMQbg/IO/0");
      CountForEver(counters_.network);
    }).detach();
    CountForEver(counters_.work);
  }
  ~ChaosActTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    munmap(&counters_, sizeof(Counters));
  }

  static void WaitUntil(const std::function<bool()>& holds) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    while (!holds() && steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(holds());
  }
  static void WaitForMore(const std::atomic<std::int64_t>& counter, std::int64_t more) {
    const std::int64_t before = counter;
    WaitUntil([&] { return counter >= before + more; });
  }
  // Whether the network stood still while 20 pieces of work were done.
  bool NetworkStandsWhileWorkGoesOn() const {
    const std::int64_t before = counters_.network;
    WaitForMore(counters_.work, 20);
    return counters_.network == before;
  }

  Counters& counters_;
  pid_t pid_ = 0;
};

TEST_F(ChaosActTest, AHoldStopsTheNetworkAndNothingElseUntilItLetsPass) {
  WaitForMore(counters_.network, 1);
  {
    const auto hold = NetworkHold::Of(pid_);
    if (!hold) GTEST_SKIP() << "this process may not trace its children";
    hold->Hold();
    WaitUntil([&] { return NetworkStandsWhileWorkGoesOn(); });
    EXPECT_TRUE(NetworkStandsWhileWorkGoesOn());

    hold->LetPass();
    WaitForMore(counters_.network, 20);
    hold->Hold();
    WaitUntil([&] { return NetworkStandsWhileWorkGoesOn(); });
  }
  WaitForMore(counters_.network, 20);
}

TEST_F(ChaosActTest, AProcessThatDiesWhileItIsHeldCanBeReaped) {
  WaitForMore(counters_.network, 1);
  const auto hold = NetworkHold::Of(pid_);
  if (!hold) GTEST_SKIP() << "this process may not trace its children";
  hold->Hold();

  kill(pid_, SIGKILL);
  WaitUntil([&] { return !hold->AnyLeft(); });
  WaitUntil(
      [&] { return pid_ == 0 || (waitpid(pid_, nullptr, WNOHANG) == pid_ && (pid_ = 0, true)); });
}

TEST_F(ChaosActTest, APartitionEndsByItselfAndADelayOnlySlowsDown) {
  WaitForMore(counters_.network, 1);
  const core::TimePoint now = steady_clock::now();
  auto partition =
      Perform({.role = "actor.0", .kind = ChaosAct::Kind::kPartition, .length = milliseconds(500)},
              pid_,
              now);
  if (!partition) GTEST_SKIP() << "this process may not trace its children";
  WaitUntil([&] { return NetworkStandsWhileWorkGoesOn(); });
  EXPECT_TRUE(partition->step(now + milliseconds(499)).has_value());
  EXPECT_FALSE(partition->step(now + milliseconds(500)).has_value());
  partition.reset();
  WaitForMore(counters_.network, 20);

  auto delay = Perform(
      {.role = "actor.0", .kind = ChaosAct::Kind::kDelay, .length = milliseconds(500)}, pid_, now);
  ASSERT_TRUE(delay);
  WaitUntil([&] { return NetworkStandsWhileWorkGoesOn(); });
  const auto next = delay->step(delay->next);
  ASSERT_TRUE(next);
  EXPECT_LT(*next - delay->next, delay->next - now) << "it passes for less time than it is held";
  WaitForMore(counters_.network, 5);
  EXPECT_FALSE(delay->step(now + milliseconds(500)).has_value());
}

TEST_F(ChaosActTest, AFullDiskIsALimitThatIsLiftedAgain) {
  const auto limit = [&] {
    rlimit now{};
    prlimit(pid_, RLIMIT_FSIZE, nullptr, &now);
    return now.rlim_cur;
  };
  const rlim_t before = limit();

  auto full =
      Perform({.role = "learner", .kind = ChaosAct::Kind::kDiskFull, .length = milliseconds(5)},
              pid_,
              steady_clock::now());
  ASSERT_TRUE(full);
  EXPECT_LT(limit(), rlim_t{1} << 20);
  EXPECT_FALSE(full->step(full->next).has_value());
  EXPECT_EQ(limit(), before);
}

TEST_F(ChaosActTest, ADiskThatIsFullAlreadyIsNotHitAndNotFullForGood) {
  const auto limit = [&] {
    rlimit now{};
    prlimit(pid_, RLIMIT_FSIZE, nullptr, &now);
    return now.rlim_cur;
  };
  const auto fill = [&](milliseconds length) {
    return Perform({.role = "learner", .kind = ChaosAct::Kind::kDiskFull, .length = length},
                   pid_,
                   steady_clock::now());
  };
  const rlim_t before = limit();

  auto first = fill(milliseconds(5));
  auto second = fill(milliseconds(10));
  ASSERT_TRUE(first);
  EXPECT_FALSE(second);
  first->step(first->next);
  if (second) second->step(second->next);

  EXPECT_EQ(limit(), before);
}

TEST_F(ChaosActTest, APausedProcessGoesOnAndAKilledOneIsGone) {
  WaitForMore(counters_.work, 1);
  auto pause =
      Perform({.role = "learner", .kind = ChaosAct::Kind::kPause, .length = milliseconds(5)},
              pid_,
              steady_clock::now());
  ASSERT_TRUE(pause);
  int status = 0;
  ASSERT_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
  EXPECT_TRUE(WIFSTOPPED(status));
  pause->step(pause->next);
  WaitForMore(counters_.work, 20);

  const pid_t pid = pid_;
  EXPECT_TRUE(
      Perform({.role = "learner", .kind = ChaosAct::Kind::kKill}, pid, steady_clock::now()));
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  pid_ = 0;
  EXPECT_FALSE(
      Perform({.role = "learner", .kind = ChaosAct::Kind::kHang}, pid, steady_clock::now()));
}

}  // namespace
}  // namespace londi::launch
