#include "transport/lm_request_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/transport_support.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::In;
using testing::Soon;

// Remembers what became of a request; outlives the queue, which refuses what is left in it.
struct Outcome {
  std::vector<LmOutcome> all;
  LmRequestQueue::OnOutcome callback() {
    return [this](LmOutcome outcome) { all.push_back(std::move(outcome)); };
  }
  bool WasRefused(Retry retry) const {
    return all.size() == 1 && std::holds_alternative<LmRefusal>(all[0]) &&
           std::get<LmRefusal>(all[0]).retry == retry;
  }
  bool WasAnswered() const {
    return all.size() == 1 && std::holds_alternative<core::Proposal>(all[0]);
  }
};

TEST(LmRequestQueue, HandsOutInOrderAndAnswersOnce) {
  Outcome first, second;
  LmRequestQueue queue(10);
  const Ticket first_ticket = queue.Submit(testing::MakeLmRequest(), first.callback());
  const Ticket second_ticket = queue.Submit(testing::MakeLmRequest(), second.callback());

  EXPECT_EQ(queue.Receive(Soon())->ticket, first_ticket);
  EXPECT_EQ(queue.Receive(Soon())->ticket, second_ticket);
  queue.Reply(second_ticket, testing::MakeProposal(3));
  queue.Reply(second_ticket, testing::MakeProposal(3));
  queue.Refuse(first_ticket, {"w", "y", "f"}, Retry::kNever);

  EXPECT_TRUE(second.WasAnswered());
  EXPECT_TRUE(first.WasRefused(Retry::kNever));
}

TEST(LmRequestQueue, RefusesWhatDoesNotFit) {
  Outcome first, second;
  LmRequestQueue queue(1);
  queue.Submit(testing::MakeLmRequest(), first.callback());
  queue.Submit(testing::MakeLmRequest(), second.callback());

  EXPECT_TRUE(first.all.empty());
  EXPECT_TRUE(second.WasRefused(Retry::kElsewhere));
  EXPECT_EQ(queue.NumWaiting(), 1u);
}

TEST(LmRequestQueue, SkipsExpiredAndCancelledRequests) {
  Outcome expired, cancelled, good;
  LmRequestQueue queue(10);
  queue.Submit(testing::MakeLmRequest(In(milliseconds(-1))), expired.callback());
  queue.Cancel(queue.Submit(testing::MakeLmRequest(), cancelled.callback()));
  const Ticket ticket = queue.Submit(testing::MakeLmRequest(), good.callback());

  EXPECT_EQ(queue.Receive(Soon())->ticket, ticket);
  EXPECT_TRUE(expired.WasRefused(Retry::kElsewhere));
  EXPECT_TRUE(cancelled.all.empty());
}

TEST(LmRequestQueue, AWorkerSeesACancellation) {
  Outcome outcome;
  LmRequestQueue queue(10);
  const Ticket ticket = queue.Submit(testing::MakeLmRequest(), outcome.callback());
  const auto incoming = queue.Receive(Soon());
  EXPECT_FALSE(incoming->IsCancelled());

  queue.Cancel(ticket);
  queue.Reply(ticket, testing::MakeProposal(3));

  EXPECT_TRUE(incoming->IsCancelled());
  EXPECT_TRUE(outcome.all.empty());
}

TEST(LmRequestQueue, CloseRefusesTheWaitingAndLetsTheBegunFinish) {
  Outcome begun, waiting, late;
  LmRequestQueue queue(10);
  const Ticket ticket = queue.Submit(testing::MakeLmRequest(), begun.callback());
  queue.Submit(testing::MakeLmRequest(), waiting.callback());
  ASSERT_TRUE(queue.Receive(Soon()));

  queue.Close();
  queue.Submit(testing::MakeLmRequest(), late.callback());
  queue.Reply(ticket, testing::MakeProposal(3));

  EXPECT_TRUE(waiting.WasRefused(Retry::kElsewhere));
  EXPECT_TRUE(late.WasRefused(Retry::kElsewhere));
  EXPECT_TRUE(begun.WasAnswered());
  EXPECT_TRUE(queue.IsClosed());
  EXPECT_FALSE(queue.Receive(Soon()));
}

TEST(LmRequestQueue, CloseWakesABlockedReceive) {
  LmRequestQueue queue(10);
  std::thread receiver([&] { EXPECT_FALSE(queue.Receive(core::TimePoint::max())); });
  queue.Close();
  receiver.join();
}

TEST(LmRequestQueue, ReceiveGivesUpAtItsDeadline) {
  LmRequestQueue queue(10);
  EXPECT_FALSE(queue.Receive(In(milliseconds(1))));
  EXPECT_FALSE(queue.IsClosed());
}

}  // namespace
}  // namespace londi::transport
