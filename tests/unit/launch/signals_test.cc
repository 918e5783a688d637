#include "launch/signals.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace londi::launch {
namespace {

using std::chrono::seconds;

void SendToThisProcess(int signal) { kill(getpid(), signal); }

void WaitForStopRequests(Signals& signals, int wanted) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (signals.num_stop_requests() < wanted && std::chrono::steady_clock::now() < deadline) {
    signals.WaitUntil(deadline);
  }
  ASSERT_EQ(signals.num_stop_requests(), wanted);
}

TEST(Signals, CountsRequestsToEndAndEndsAWait) {
  Signals signals;

  SendToThisProcess(SIGTERM);
  WaitForStopRequests(signals, 1);
  SendToThisProcess(SIGINT);
  WaitForStopRequests(signals, 2);
}

// As where a role runs in a process that has one already.
TEST(Signals, OneWithinAnotherDoesNotKeepThatFromEnding) {
  Signals outer;
  { Signals inner; }
}

// --- a stack pointer that points where nothing may be written below

constexpr std::size_t kBytes = 64 << 10;  // Of a stack; a handler's frame takes some kilobytes.
constexpr std::size_t kOwn = 1024;        // More than what runs on it needs, less than any frame.
constexpr std::byte kUntouched{0xa5};

ucontext_t caller;
const std::atomic<int>* arrived = nullptr;
int wanted = 0;

// Calls nothing, so that it needs next to no stack.
void SpinUntilItArrived() {
  while (arrived->load() < wanted) {
  }
}

// As oneDNN's matrix products, which a signal met in a learner that was asked to end: its heap was
// corrupted, and its last checkpoint missing.
TEST(Signals, WriteNothingBelowTheStackPointerOfAThreadThatIsAtWork) {
  Signals signals;
  std::atomic<int> seen = 0;
  std::vector<std::byte> stack(kBytes, kUntouched);
  arrived = &seen;
  wanted = 1;
  ucontext_t work;
  getcontext(&work);
  work.uc_stack.ss_sp = stack.data();
  work.uc_stack.ss_size = stack.size();
  work.uc_link = &caller;
  makecontext(&work, SpinUntilItArrived, 0);
  std::jthread sender([&] {
    SendToThisProcess(SIGTERM);
    WaitForStopRequests(signals, 1);
    seen = 1;
  });

  swapcontext(&caller, &work);

  const auto below = std::count(stack.begin(), stack.end() - kOwn, kUntouched);
  EXPECT_EQ(below, std::ssize(stack) - static_cast<std::ptrdiff_t>(kOwn));
}

}  // namespace
}  // namespace londi::launch
