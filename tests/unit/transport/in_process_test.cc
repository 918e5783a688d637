#include "transport/in_process.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/transport_support.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::In;
using testing::Soon;

// Answers every request until the channel is closed.
std::thread StartWorker(InProcessLmChannel& channel) {
  return std::thread([&channel] {
    while (const auto incoming = channel.Receive(core::TimePoint::max())) {
      channel.Reply(incoming->ticket, testing::MakeProposal(incoming->request.candidates.size()));
    }
  });
}

TEST(InProcessLm, AnswersManyThreads) {
  InProcessLmChannel channel;
  std::thread worker = StartWorker(channel);
  std::vector<std::thread> episodes;
  for (int i = 0; i < 8; ++i) {
    episodes.emplace_back([&] {
      for (int step = 0; step < 50; ++step)
        EXPECT_EQ(channel.client().Propose(testing::MakeLmRequest()).action, 1);
    });
  }
  for (std::thread& episode : episodes) episode.join();
  channel.Close();
  worker.join();
}

TEST(InProcessLm, ThrowsWhenNobodyAnswersInTimeAndCancels) {
  InProcessLmChannel channel;
  EXPECT_THROW(channel.client().Propose(testing::MakeLmRequest(In(milliseconds(5)))),
               core::UnavailableError);
  EXPECT_FALSE(channel.Receive(In(milliseconds(1))));
}

TEST(InProcessLm, TurnsRefusalsIntoErrors) {
  InProcessLmChannel channel;
  std::thread worker([&] {
    channel.Refuse(channel.Receive(Soon())->ticket, {"too long", "y", "f"}, Retry::kNever);
    channel.Refuse(channel.Receive(Soon())->ticket, {"busy", "y", "f"}, Retry::kElsewhere);
  });
  try {
    channel.client().Propose(testing::MakeLmRequest());
    ADD_FAILURE();
  } catch (const core::UnavailableError&) {
    ADD_FAILURE();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.text().what, "too long");
  }
  EXPECT_THROW(channel.client().Propose(testing::MakeLmRequest()), core::UnavailableError);
  worker.join();
}

TEST(InProcessLm, ClosingEitherEndFreesTheCaller) {
  InProcessLmChannel by_server;
  std::thread first([&] {
    EXPECT_THROW(by_server.client().Propose(testing::MakeLmRequest(core::TimePoint::max())),
                 core::UnavailableError);
  });
  InProcessLmChannel by_client;
  std::thread second([&] {
    EXPECT_THROW(by_client.client().Propose(testing::MakeLmRequest(core::TimePoint::max())),
                 core::UnavailableError);
  });

  by_server.Close();
  by_client.client().Close();
  first.join();
  second.join();
}

TEST(InProcessTransitions, DeliversEveryRowOfEverySinkOnceInOrder) {
  InProcessTransitionChannel channel(
      {.spool = {.max_rows = 64, .flush_rows = 8, .flush_after = milliseconds(1)}});
  constexpr std::int64_t kRows = 500;
  std::vector<std::thread> actors;
  for (int actor = 0; actor < 3; ++actor) {
    actors.emplace_back([&, actor] {
      const auto sink = channel.MakeSink();
      for (const core::Transition& row : testing::MakeRows(1, kRows, actor))
        EXPECT_TRUE(sink->Push(row));
      EXPECT_TRUE(sink->Drain(Soon()));
      EXPECT_EQ(sink->status().acknowledged, core::Sequence(kRows));
    });
  }

  std::map<StreamId, std::int64_t> last;
  for (std::int64_t received = 0; received < 3 * kRows;) {
    const auto batch = channel.Receive(Soon());
    ASSERT_TRUE(batch);
    for (const core::Transition& row : batch->rows)
      ASSERT_EQ(row.sequence.value, ++last[batch->stream]);
    received += std::ssize(batch->rows);
    channel.Ack(batch->stream, batch->last(), 100);
  }
  for (std::thread& actor : actors) actor.join();
  EXPECT_EQ(channel.StoredMarks().size(), 3u);
}

TEST(InProcessTransitions, AFullSpoolBlocksUntilAcknowledged) {
  InProcessTransitionChannel channel({.spool = {.max_rows = 4, .flush_rows = 2, .joined = 1}});
  const auto sink = channel.MakeSink();
  std::thread actor([&] {
    for (const core::Transition& row : testing::MakeRows(1, 6)) EXPECT_TRUE(sink->Push(row));
  });

  const auto first = channel.Receive(Soon());
  const auto second = channel.Receive(Soon());
  EXPECT_EQ(second->last(), core::Sequence(4));
  EXPECT_FALSE(
      channel.Receive(In(milliseconds(5))));  // The actor is blocked: nothing more can come.
  EXPECT_EQ(sink->status().pushed, core::Sequence(4));
  channel.Ack(first->stream, second->last(), 100);
  actor.join();
  EXPECT_EQ(sink->status().pushed, core::Sequence(6));
}

TEST(InProcessTransitions, ZeroCreditsPauseAStream) {
  InProcessTransitionChannel channel(
      {.spool = {.max_rows = 100, .flush_rows = 2, .joined = 1}, .initial_credits = 1});
  const auto sink = channel.MakeSink();
  for (const core::Transition& row : testing::MakeRows(1, 6)) ASSERT_TRUE(sink->Push(row));

  const auto first = channel.Receive(Soon());
  ASSERT_EQ(first->last(), core::Sequence(2));
  channel.Ack(first->stream, first->last(), 0);
  EXPECT_FALSE(channel.Receive(In(milliseconds(1))));
  channel.Ack(first->stream, first->last(), 1);
  EXPECT_EQ(channel.Receive(Soon())->last(), core::Sequence(4));
}

TEST(InProcessTransitions, ASinkThatDrainsIsNotHeldUpByCredits) {
  InProcessTransitionChannel channel(
      {.spool = {.max_rows = 100, .flush_rows = 2, .joined = 1}, .initial_credits = 1});
  const auto sink = channel.MakeSink();
  for (const core::Transition& row : testing::MakeRows(1, 6)) ASSERT_TRUE(sink->Push(row));
  const auto first = channel.Receive(Soon());
  ASSERT_EQ(first->last(), core::Sequence(2));
  channel.Ack(first->stream, first->last(), 0);

  sink->StartDraining();

  for (const std::int64_t last : {4, 6}) {
    const auto batch = channel.Receive(Soon());
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->last(), core::Sequence(last));
    channel.Ack(batch->stream, batch->last(), 0);
  }
  EXPECT_TRUE(sink->Drain(Soon()));
}

TEST(InProcessTransitions, ClosingEitherEndFreesWhoWaits) {
  for (const bool close_source : {true, false}) {
    InProcessTransitionChannel channel({.spool = {.max_rows = 2, .flush_rows = 1}});
    const auto sink = channel.MakeSink();
    for (const core::Transition& row : testing::MakeRows(1, 2)) ASSERT_TRUE(sink->Push(row));
    std::thread pusher([&] { EXPECT_FALSE(sink->Push(testing::MakeRow(3))); });
    std::thread drainer([&] { EXPECT_FALSE(sink->Drain(core::TimePoint::max())); });
    close_source ? channel.Close() : sink->Close();
    pusher.join();
    drainer.join();
  }
}

TEST(InProcessTransitions, AClosedSourceHandsOutWhatItHas) {
  InProcessTransitionChannel channel({.spool = {.max_rows = 4, .flush_rows = 2}});
  const auto sink = channel.MakeSink();
  for (const core::Transition& row : testing::MakeRows(1, 2)) ASSERT_TRUE(sink->Push(row));

  channel.Close();

  EXPECT_TRUE(channel.Receive(Soon()));
  EXPECT_FALSE(channel.Receive(Soon()));
}

TEST(InProcessWeights, ReadersSeeTheNewest) {
  InProcessWeightsChannel channel;
  EXPECT_EQ(channel.Latest(), nullptr);
  std::thread waiter(
      [&] { EXPECT_EQ(channel.WaitForFirst(Soon())->version, core::WeightsVersion(1)); });
  channel.Publish(testing::MakeWeights(1));
  waiter.join();
  channel.Publish(testing::MakeWeights(2));

  EXPECT_EQ(channel.Latest()->version, core::WeightsVersion(2));
  EXPECT_THROW(channel.Publish(testing::MakeWeights(2)), core::ProtocolError);
}

TEST(InProcessWeights, WaitingEndsAtTheDeadlineOrWhenClosed) {
  InProcessWeightsChannel channel;
  EXPECT_EQ(channel.WaitForFirst(In(milliseconds(1))), nullptr);
  std::thread waiter([&] { EXPECT_EQ(channel.WaitForFirst(core::TimePoint::max()), nullptr); });
  channel.Close();
  waiter.join();
}

}  // namespace
}  // namespace londi::transport
