#include "transport/lm_dispatcher.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;

class Dispatcher : public ::testing::Test {
 protected:
  // "call->worker", or "" when nothing can be sent.
  std::string Next() {
    const auto next = dispatcher_.Next(clock_.Now());
    return next ? std::to_string(next->call) + "->" + next->worker : "";
  }

  testing::FakeClock clock_;
  LmDispatcher dispatcher_{{.first_pause = milliseconds(10), .max_pause = milliseconds(40)}};
};

TEST_F(Dispatcher, WaitsForAWorker) {
  dispatcher_.Add(1, 10);
  EXPECT_EQ(Next(), "");
  dispatcher_.SetReachable("a", true);
  EXPECT_EQ(Next(), "1->a");
  EXPECT_EQ(Next(), "");
}

TEST_F(Dispatcher, PicksTheLeastOutstandingWork) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.SetReachable("b", true);
  dispatcher_.Add(1, 100);
  dispatcher_.Add(2, 30);
  dispatcher_.Add(3, 30);
  dispatcher_.Add(4, 30);
  dispatcher_.Add(5, 30);

  EXPECT_EQ(Next(), "1->a");
  EXPECT_EQ(Next(), "2->b");
  EXPECT_EQ(Next(), "3->b");
  EXPECT_EQ(Next(), "4->b");
  EXPECT_EQ(Next(), "5->b");  // 90 against 100.
  dispatcher_.Add(6, 1);
  EXPECT_EQ(Next(), "6->a");
  EXPECT_EQ(dispatcher_.Finish(1), "a");
  EXPECT_EQ(dispatcher_.OutstandingWork("a"), 1);
  EXPECT_EQ(dispatcher_.OutstandingWork("b"), 120);
}

TEST_F(Dispatcher, KnowsWhatAWorkerHas) {
  dispatcher_.SetReachable("a", true);
  for (int call = 1; call <= 3; ++call) dispatcher_.Add(call, 1);
  EXPECT_TRUE(dispatcher_.CallsOf("a").empty());
  Next();
  Next();

  EXPECT_EQ(dispatcher_.CallsOf("a"), (std::vector<LmDispatcher::CallId>{1, 2}));
  dispatcher_.Finish(1);
  EXPECT_EQ(dispatcher_.CallsOf("a"), std::vector<LmDispatcher::CallId>{2});
  EXPECT_TRUE(dispatcher_.CallsOf("b").empty());
}

TEST_F(Dispatcher, GivesTheCallsOfALostWorkerToOthersFirst) {
  dispatcher_.SetReachable("a", true);
  for (int call = 1; call <= 3; ++call) dispatcher_.Add(call, 1);
  while (!Next().empty()) {
  }
  dispatcher_.Add(4, 1);

  dispatcher_.SetReachable("a", false);
  EXPECT_EQ(Next(), "");
  dispatcher_.SetReachable("b", true);

  EXPECT_EQ(Next(), "1->b");
  EXPECT_EQ(Next(), "2->b");
  EXPECT_EQ(Next(), "3->b");
  EXPECT_EQ(Next(), "4->b");
}

TEST_F(Dispatcher, ARefusedCallGoesElsewhere) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.SetReachable("b", true);
  dispatcher_.Add(1, 1);
  EXPECT_EQ(Next(), "1->a");

  dispatcher_.Refused(1, "a", clock_.Now());
  EXPECT_EQ(Next(), "1->b");
}

TEST_F(Dispatcher, RestsLongerEachTimeEverybodyRefuses) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.Add(1, 1);
  for (const int pause : {10, 20, 40, 40}) {
    EXPECT_EQ(Next(), "1->a");
    dispatcher_.Refused(1, "a", clock_.Now());
    EXPECT_EQ(Next(), "");
    EXPECT_EQ(dispatcher_.NextRetry(), clock_.Now() + milliseconds(pause));
    clock_.Advance(milliseconds(pause));
  }
}

TEST_F(Dispatcher, ARestingCallDoesNotHoldUpOthers) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.Add(1, 1);
  EXPECT_EQ(Next(), "1->a");
  dispatcher_.Refused(1, "a", clock_.Now());
  dispatcher_.Add(2, 1);

  EXPECT_EQ(Next(), "2->a");
  EXPECT_EQ(Next(), "");
}

// A client that was to try again at a time that had passed took a whole core until a worker came.
TEST_F(Dispatcher, ARestingCallWaitsForAWorkerNotForATimeWhileThereIsNone) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.Add(1, 1);
  EXPECT_EQ(Next(), "1->a");
  dispatcher_.Refused(1, "a", clock_.Now());
  dispatcher_.SetReachable("a", false);
  clock_.Advance(milliseconds(100));

  EXPECT_EQ(Next(), "");
  EXPECT_EQ(dispatcher_.NextRetry(), std::nullopt);
  dispatcher_.SetReachable("b", true);
  EXPECT_EQ(Next(), "1->b");
}

TEST_F(Dispatcher, IgnoresRefusalsOfAWorkerThatHasItNoMore) {
  dispatcher_.SetReachable("a", true);
  dispatcher_.Add(1, 1);
  EXPECT_EQ(Next(), "1->a");
  dispatcher_.SetReachable("a", false);
  dispatcher_.SetReachable("b", true);
  EXPECT_EQ(Next(), "1->b");

  dispatcher_.Refused(1, "a", clock_.Now());
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(dispatcher_.Finish(1), "b");
  EXPECT_EQ(dispatcher_.Finish(1), std::nullopt);
}

TEST_F(Dispatcher, FinishTakesAWaitingCallOut) {
  dispatcher_.Add(1, 1);
  EXPECT_EQ(dispatcher_.Finish(1), std::nullopt);
  dispatcher_.SetReachable("a", true);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(dispatcher_.NumWaiting(), 0u);
}

}  // namespace
}  // namespace londi::transport
