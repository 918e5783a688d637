#include "transport/io_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace londi::transport {
namespace {

// Waits at most so long that a lost wake is a failure and no hanging test.
bool BecomesEqual(const std::atomic<int>& value, int wanted) {
  const core::TimePoint deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (value != wanted) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(IoThread, AWakeWhileItWorksEndsTheNextWait) {
  std::atomic<int> rounds = 0, released = 0;
  IoThread io(
      "test",
      monitor::MakeNullLogger(),
      [&](IoThread& self) {
        while (!self.stopping()) {
          ++rounds;
          EXPECT_TRUE(BecomesEqual(released, 1));
          self.Wait({}, core::TimePoint::max());
        }
      },
      [] {});
  ASSERT_TRUE(BecomesEqual(rounds, 1));

  io.Wake();
  io.Wake();  // Shares the round of the one before.
  released = 1;

  EXPECT_TRUE(BecomesEqual(rounds, 2));
}

TEST(IoThread, LosesNoWakeWhetherItWaitsWorksOrIsAboutToWait) {
  std::atomic<int> given = 0, taken = 0;
  IoThread io(
      "test",
      monitor::MakeNullLogger(),
      [&](IoThread& self) {
        while (!self.stopping()) {
          self.Wait({}, core::TimePoint::max());
          taken = given.load();
        }
      },
      [] {});

  for (int i = 1; i <= 20'000; ++i) {
    given = i;
    io.Wake();
    ASSERT_TRUE(BecomesEqual(taken, i)) << "wake " << i;
  }
}

TEST(IoThread, TellsWhatItsLoopFailedWith) {
  std::atomic<int> failed = 0;
  IoThread io(
      "test",
      monitor::MakeNullLogger(),
      [&](IoThread& self) {
        self.Wait({}, core::TimePoint::max());
        throw std::runtime_error("no memory");
      },
      [&] { failed = 1; });
  io.ThrowIfFailed();

  io.Wake();

  ASSERT_TRUE(BecomesEqual(failed, 1));
  EXPECT_THROW(io.ThrowIfFailed(), std::runtime_error);
}

}  // namespace
}  // namespace londi::transport
