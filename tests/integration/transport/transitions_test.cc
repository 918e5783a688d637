#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "core/no_room.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transport_support.h"
#include "transport/spool_journal.h"
#include "transport/zmq_transitions.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::In;
using testing::Soon;

TransitionSinkOptions FastSink() {
  return {.spool = {.max_rows = 256, .flush_rows = 8, .flush_after = milliseconds(2)},
          .probe_after = milliseconds(50)};
}

class Transitions : public ::testing::Test {
 protected:
  FakeProcess actor_{2};
  FakeProcess learner_{1};
};

TEST_F(Transitions, EveryRowArrivesOnceAndUnchanged) {
  const auto source = MakeZmqTransitionSource(learner_.context());
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  sink->SetEndpoint(source->endpoint());
  constexpr std::int64_t kRows = 2000;
  std::thread actor([&] {
    for (std::int64_t i = 1; i <= kRows; ++i) EXPECT_TRUE(sink->Push(testing::MakeRow(i)));
    EXPECT_TRUE(sink->Drain(Soon()));
  });

  std::int64_t last = 0;
  while (last < kRows) {
    const auto batch = source->Receive(Soon());
    ASSERT_TRUE(batch);
    for (const core::Transition& row : batch->rows)
      ASSERT_TRUE(testing::SameRow(row, testing::MakeRow(++last)));
    source->Ack(batch->stream, batch->last(), 1000);
  }
  actor.join();
  EXPECT_EQ(sink->status().unacknowledged, 0);
  EXPECT_EQ(learner_.metrics.Sum("londi_rows_received_total"), kRows);
}

TEST_F(Transitions, NothingIsAcknowledgedBeforeTheLearnerSaysSo) {
  const auto source = MakeZmqTransitionSource(learner_.context());
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  sink->SetEndpoint(source->endpoint());
  for (std::int64_t i = 1; i <= 10; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  std::int64_t received = 0;
  while (received < 10) received += std::ssize(source->Receive(Soon())->rows);

  EXPECT_FALSE(sink->Drain(In(milliseconds(120))));  // Probes go back and forth meanwhile.
  EXPECT_EQ(sink->status().unacknowledged, 10);
  EXPECT_TRUE(source->StoredMarks().empty() ||
              source->StoredMarks()[0].second == core::Sequence(0));
  source->Ack({core::ActorId(3), core::Incarnation(2)}, core::Sequence(10), 100);
  EXPECT_TRUE(sink->Drain(Soon()));
}

TEST_F(Transitions, AFullSpoolBlocksTheActorUntilTheLearnerKeepsUp) {
  const auto source = MakeZmqTransitionSource(learner_.context());
  TransitionSinkOptions options = FastSink();
  options.spool.max_rows = 16;
  const auto sink = MakeZmqTransitionSink(actor_.context(), options);
  sink->SetEndpoint(source->endpoint());
  std::thread actor([&] {
    for (std::int64_t i = 1; i <= 32; ++i) EXPECT_TRUE(sink->Push(testing::MakeRow(i)));
  });

  std::int64_t received = 0;
  while (received < 16) received += std::ssize(source->Receive(Soon())->rows);
  EXPECT_EQ(sink->status().pushed, core::Sequence(16));
  source->Ack({core::ActorId(3), core::Incarnation(2)}, core::Sequence(16), 100);
  while (received < 32) received += std::ssize(source->Receive(Soon())->rows);
  actor.join();
}

TEST_F(Transitions, CreditsHoldRowsBackAndReleaseThem) {
  const auto source = MakeZmqTransitionSource(learner_.context(), {.initial_credits = 1});
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  sink->SetEndpoint(source->endpoint());
  for (std::int64_t i = 1; i <= 24; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};

  ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(8));
  source->Ack(stream, core::Sequence(8), 0);
  EXPECT_FALSE(source->Receive(In(milliseconds(120))));
  source->Ack(stream, core::Sequence(8), 9);
  EXPECT_EQ(source->Receive(Soon())->last(), core::Sequence(24));  // Both, together.
}

// Also by those of a learner that is started while it drains.
TEST_F(Transitions, ASinkThatDrainsIsNotHeldUpByCredits) {
  auto source = MakeZmqTransitionSource(learner_.context(), {.initial_credits = 1});
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  sink->SetEndpoint(source->endpoint());
  for (std::int64_t i = 1; i <= 32; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(8));
  source->Ack(stream, core::Sequence(8), 0);

  sink->StartDraining();

  ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(16));
  source->Ack(stream, core::Sequence(16), 0);
  ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(24));

  source = MakeZmqTransitionSource(
      learner_.context(), {.initial_credits = 1}, {{stream, core::Sequence(16)}});
  sink->SetEndpoint(source->endpoint());
  for (const std::int64_t last : {24, 32}) {
    ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(last));
    source->Ack(stream, core::Sequence(last), 0);
  }
  EXPECT_TRUE(sink->Drain(Soon()));
}

TEST_F(Transitions, ASinkThatStartsFirstWaitsForTheLearner) {
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  for (std::int64_t i = 1; i <= 20; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  EXPECT_FALSE(sink->Drain(In(milliseconds(1))));
  sink->SetEndpoint("not an endpoint");

  const auto source = MakeZmqTransitionSource(learner_.context());
  sink->SetEndpoint(source->endpoint());
  std::int64_t received = 0;
  while (received < 20) received += std::ssize(source->Receive(Soon())->rows);
}

TEST_F(Transitions, SeveralActorsShareALearner) {
  const auto source = MakeZmqTransitionSource(learner_.context());
  std::vector<std::thread> actors;
  for (int actor = 0; actor < 4; ++actor) {
    actors.emplace_back([&, actor] {
      FakeProcess process(2);
      const auto sink = MakeZmqTransitionSink(process.context(), FastSink());
      sink->SetEndpoint(source->endpoint());
      for (std::int64_t i = 1; i <= 300; ++i) EXPECT_TRUE(sink->Push(testing::MakeRow(i, actor)));
      EXPECT_TRUE(sink->Drain(Soon()));
    });
  }
  std::map<StreamId, std::int64_t> last;
  for (std::int64_t received = 0; received < 4 * 300;) {
    const auto batch = source->Receive(Soon());
    ASSERT_TRUE(batch);
    for (const core::Transition& row : batch->rows)
      ASSERT_EQ(row.sequence.value, ++last[batch->stream]);
    received += std::ssize(batch->rows);
    source->Ack(batch->stream, batch->last(), 200);
  }
  for (std::thread& actor : actors) actor.join();
}

// The learner dies again and again between receiving, storing and acknowledging. Its log is `log`:
// whatever is in there survives, everything else is lost with the process. In the end each row is
// in the log exactly once.
TEST_F(Transitions, EveryRowIsStoredExactlyOnceThoughTheLearnerKeepsDying) {
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  constexpr std::int64_t kRows = 3000;
  std::thread actor([&] {
    for (std::int64_t i = 1; i <= kRows; ++i) EXPECT_TRUE(sink->Push(testing::MakeRow(i)));
    EXPECT_TRUE(sink->Drain(In(std::chrono::seconds(50))));
  });

  std::mt19937 random(11);
  std::vector<std::int64_t> log;
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  int lives = 0;
  while (std::ssize(log) < kRows || sink->status().unacknowledged > 0) {
    FakeProcess learner(++lives);
    StreamWatermarks::Snapshot restored;
    if (!log.empty()) restored = {{stream, core::Sequence(log.back())}};
    const auto source =
        MakeZmqTransitionSource(learner.context(), {.initial_credits = 64}, restored);
    sink->SetEndpoint(source->endpoint());
    const int batches_of_this_life = lives < 20 ? 1 + static_cast<int>(random() % 25) : 1'000'000;
    for (int i = 0; i < batches_of_this_life; ++i) {
      const auto batch = source->Receive(In(milliseconds(300)));
      if (!batch && std::ssize(log) == kRows)
        break;  // All is stored; the next life acknowledges what is left.
      ASSERT_TRUE(batch || lives < 20);
      if (!batch) break;
      const bool dies_before_storing = lives < 20 && random() % 16 == 0;
      if (dies_before_storing) break;
      for (const core::Transition& row : batch->rows) log.push_back(row.sequence.value);
      const bool dies_before_acknowledging = lives < 20 && random() % 16 == 0;
      if (dies_before_acknowledging) break;
      source->Ack(stream, batch->last(), 64);
    }
  }
  actor.join();

  ASSERT_EQ(std::ssize(log), kRows);
  for (std::int64_t i = 0; i < kRows; ++i) ASSERT_EQ(log[static_cast<std::size_t>(i)], i + 1);
  EXPECT_GE(lives, 10);
}

// The learner's log lost rows that it had acknowledged (a crash of its node): it says so and goes
// on.
TEST_F(Transitions, RowsThatNobodyHasAreCountedAndSkipped) {
  const auto sink = MakeZmqTransitionSink(actor_.context(), FastSink());
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  {
    const auto source = MakeZmqTransitionSource(learner_.context());
    sink->SetEndpoint(source->endpoint());
    for (std::int64_t i = 1; i <= 8; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
    ASSERT_EQ(source->Receive(Soon())->last(), core::Sequence(8));
    source->Ack(stream, core::Sequence(8), 100);
    ASSERT_TRUE(sink->Drain(Soon()));
  }
  FakeProcess forgetful(5);
  const auto source =
      MakeZmqTransitionSource(forgetful.context(), {}, {{stream, core::Sequence(3)}});
  sink->SetEndpoint(source->endpoint());
  for (std::int64_t i = 9; i <= 16; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));

  const auto batch = source->Receive(Soon());
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows.front().sequence, core::Sequence(9));
  EXPECT_EQ(forgetful.metrics.Sum("londi_rows_lost_total"), 5);
}

TEST_F(Transitions, ClosingFreesWhoWaits) {
  const auto source = MakeZmqTransitionSource(learner_.context());
  TransitionSinkOptions options = FastSink();
  options.spool.max_rows = options.spool.flush_rows;
  const auto sink = MakeZmqTransitionSink(actor_.context(), options);
  for (std::int64_t i = 1; i <= 8; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  std::thread pusher([&] { EXPECT_FALSE(sink->Push(testing::MakeRow(9))); });
  std::thread drainer([&] { EXPECT_FALSE(sink->Drain(core::TimePoint::max())); });
  std::thread receiver([&] { EXPECT_FALSE(source->Receive(core::TimePoint::max())); });

  sink->Close();
  source->Close();

  pusher.join();
  drainer.join();
  receiver.join();
}

// The learner's ingest took the closed channel of a failed thread for one without rows, for ever.
TEST_F(Transitions, ASourceWhoseThreadFailedSaysSo) {
  const auto source = MakeZmqTransitionSource(learner_.context());

  learner_.sockets.context().shutdown();

  EXPECT_THROW((void)source->Receive(Soon()), zmq::error_t);
}

TEST_F(Transitions, OptionsThatCannotWorkAreRefused) {
  EXPECT_THROW(MakeZmqTransitionSource(learner_.context(), {.initial_credits = 0}),
               core::ConfigError);
}

// A sink whose process is killed with rows that nobody acknowledged; what it had comes from its
// journal, under its own name.
class KilledSink : public ::testing::Test {
 protected:
  TransitionSinkOptions Journaled() const {
    TransitionSinkOptions options = FastSink();
    options.journal_folder = folder_.path();
    return options;
  }
  // Sends what the journal holds as another process does. Returns its rows.
  std::vector<core::Transition> HandOver(const std::string& endpoint) {
    const auto files = FindSpoolJournals(folder_.path(), core::ActorId(3));
    if (files.size() != 1) return {};
    auto rows = ReadSpoolJournal(files[0]);
    TransitionSinkOptions options = FastSink();
    options.after = core::Sequence(rows.front().sequence.value - 1);
    FakeProcess next_life{3};
    const auto sink = MakeZmqTransitionSink(next_life.context(), options);
    sink->SetEndpoint(endpoint);
    for (const core::Transition& row : rows) EXPECT_TRUE(sink->Push(row));
    EXPECT_TRUE(sink->Drain(Soon()));
    return rows;
  }
  // Takes and acknowledges rows until there are `rows` of them.
  void TakeUntil(ZmqTransitionSource& source, std::int64_t rows) {
    while (std::ssize(taken_) < rows) {
      const auto batch = source.Receive(Soon());
      ASSERT_TRUE(batch);
      for (const core::Transition& row : batch->rows) taken_.push_back(row.sequence.value);
      source.Ack(batch->stream, batch->last(), 1000);
    }
  }
  std::vector<std::int64_t> OneTo(std::int64_t last) const {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 1; i <= last; ++i) all.push_back(i);
    return all;
  }

  // Starts threads, so a test that forks does so before.
  std::unique_ptr<ZmqTransitionSource> StartLearner() {
    learner_.emplace(1);
    return MakeZmqTransitionSource(learner_->context());
  }

  testing::TempFolder folder_;
  std::optional<FakeProcess> learner_;
  std::vector<std::int64_t> taken_;
};

TEST_F(KilledSink, ItsRowsArriveOnceThoughSomeHadArrivedBefore) {
  const auto source = StartLearner();
  FakeProcess actor{2};
  {
    const auto sink = MakeZmqTransitionSink(actor.context(), Journaled());
    sink->SetEndpoint(source->endpoint());
    for (std::int64_t i = 1; i <= 16; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
    TakeUntil(*source, 16);
    sink->SetEndpoint("");
    for (std::int64_t i = 17; i <= 40; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  }
  std::jthread learner([&] { TakeUntil(*source, 40); });

  const auto rows = HandOver(source->endpoint());
  learner.join();

  EXPECT_EQ(std::ssize(rows), 40) << "more than it need be: the journal does not know";
  EXPECT_EQ(taken_, OneTo(40));
  EXPECT_EQ(learner_->metrics.Sum("londi_rows_lost_total"), 0);
}

TEST_F(KilledSink, NoRowThatPushTookIsLostByAKill) {
  const pid_t child = fork();
  if (child == 0) {
    FakeProcess process{2};
    const auto sink = MakeZmqTransitionSink(process.context(), Journaled());
    for (std::int64_t i = 1; i <= 100; ++i) (void)sink->Push(testing::MakeRow(i));
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto source = StartLearner();
  std::jthread learner([&] { TakeUntil(*source, 100); });

  HandOver(source->endpoint());
  learner.join();

  EXPECT_EQ(taken_, OneTo(100));
}

TEST_F(KilledSink, ARowThatTheDiskHasNoRoomForIsNotTakenAndMayBePushedAgain) {
  const auto source = StartLearner();
  FakeProcess actor{2};
  const auto sink = MakeZmqTransitionSink(actor.context(), Journaled());
  sink->SetEndpoint(source->endpoint());
  {
    const testing::FileSizeLimit limit(1000);
    EXPECT_THROW((void)sink->Push(testing::MakeRow(1)), core::NoRoomError);
    EXPECT_EQ(sink->status().pushed, core::Sequence(0));
  }

  for (std::int64_t i = 1; i <= 8; ++i) ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
  TakeUntil(*source, 8);

  EXPECT_EQ(taken_, OneTo(8));
}

TEST_F(KilledSink, OneThatHandedOverEverythingLeavesNothing) {
  const auto source = StartLearner();
  FakeProcess actor{2};
  {
    const auto sink = MakeZmqTransitionSink(actor.context(), Journaled());
    sink->SetEndpoint(source->endpoint());
    for (std::int64_t i = 1; i <= 1000; ++i) {
      ASSERT_TRUE(sink->Push(testing::MakeRow(i)));
      if (i % 100 == 0) TakeUntil(*source, i);
    }
    EXPECT_EQ(FindSpoolJournals(folder_.path(), core::ActorId(3)).size(), 1u);
    EXPECT_TRUE(sink->Drain(Soon()));
  }
  EXPECT_TRUE(FindSpoolJournals(folder_.path(), core::ActorId(3)).empty());
}

}  // namespace
}  // namespace londi::transport
