#include "actors/worker_threads.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace londi::actors {
namespace {

TEST(WorkerThreads, TheFirstExceptionStopsAllAndIsRethrown) {
  std::promise<void> stop;
  std::shared_future<void> stopped = stop.get_future().share();
  std::atomic<int> stops = 0;
  WorkerThreads threads([&] {
    if (stops++ == 0) stop.set_value();
  });
  for (int i = 0; i < 3; ++i) {
    threads.Start("waits", [&] {
      stopped.wait();
      throw std::logic_error("later");  // Not the first any more.
    });
  }
  threads.Start("fails", [] { throw std::runtime_error("first"); });

  try {
    threads.Join();
    ADD_FAILURE() << "nothing was rethrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }

  EXPECT_EQ(stops, 1);
  EXPECT_NO_THROW(threads.Join());  // Rethrown once.
}

TEST(WorkerThreads, WaitsUntilAllAreDoneOrTheDeadlinePasses) {
  std::promise<void> go;
  WorkerThreads threads([&] {});
  threads.Start("waits", [&] { go.get_future().wait(); });

  EXPECT_FALSE(threads.WaitUntil(std::chrono::steady_clock::now()));
  go.set_value();
  EXPECT_TRUE(threads.WaitUntil(core::TimePoint::max()));
  threads.Join();
}

TEST(WorkerThreads, OneThatEndedOrFailedIsSeenWhileTheOthersGoOn) {
  std::promise<void> go, fail;
  WorkerThreads threads([] {});
  threads.Start("works", [&] { go.get_future().wait(); });
  threads.Start("fails", [&] {
    fail.get_future().wait();
    throw std::runtime_error("first");
  });

  EXPECT_FALSE(threads.HasAnyEnded());
  EXPECT_NO_THROW(threads.ThrowIfFailed());
  fail.set_value();
  while (!threads.HasAnyEnded()) std::this_thread::yield();
  EXPECT_THROW(threads.ThrowIfFailed(), std::runtime_error);

  go.set_value();
  EXPECT_NO_THROW(threads.Join());  // Rethrown once.
  EXPECT_FALSE(threads.HasAnyEnded());
}

TEST(WorkerThreads, DestructionStopsAndJoins) {
  std::promise<void> stop;
  std::atomic<bool> returned = false;
  {
    WorkerThreads threads([&] { stop.set_value(); });
    threads.Start("waits", [&] {
      stop.get_future().wait();
      returned = true;
    });
  }
  EXPECT_TRUE(returned);
}

TEST(WorkerThreads, ThreadsBearTheirNames) {
  std::string name;
  WorkerThreads threads([] {});
  threads.Start("actor.env1023", [&] {
    char buffer[16] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
    name = buffer;
  });
  threads.Join();

  EXPECT_EQ(name, "actor.env1023");
}

}  // namespace
}  // namespace londi::actors
