#include "learner/replay/ingest.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/no_room.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"

namespace londi::learner {
namespace {

using testing::MakeTransition;
using testing::TempFolder;
using transport::StreamId;
using transport::TransitionBatch;

// Gives what it is told to, duplicates too, and remembers the acknowledgements.
class FakeSource final : public transport::TransitionSource {
 public:
  struct Acknowledged {
    core::Sequence through;
    std::int64_t credits = 0;
    std::int64_t rows_in_log = 0;
  };
  explicit FakeSource(const SegmentLog& log) : log_(log) {}

  void Send(std::int64_t actor, std::int64_t first, std::int64_t count, int num_features = 4) {
    TransitionBatch batch{.stream = {core::ActorId(actor), core::Incarnation(1)}, .rows = {}};
    for (std::int64_t i = first; i < first + count; ++i) {
      batch.rows.push_back(
          MakeTransition({.actor = actor, .sequence = i, .num_features = num_features}));
    }
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
    changed_.notify_all();
  }

  std::optional<TransitionBatch> Receive(core::TimePoint deadline) override {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, deadline, [&] { return !batches_.empty(); });
    if (batches_.empty()) return std::nullopt;
    TransitionBatch batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
  }
  void Ack(StreamId stream, core::Sequence through, std::int64_t credits) override {
    const std::lock_guard lock(mutex_);
    acks_[stream.actor.value] = {through, credits, log_.end()};
    changed_.notify_all();
  }
  transport::StreamWatermarks::Snapshot StoredMarks() const override { return {}; }
  void Close() override {}

  // Blocks until the newest acknowledgement of `actor` is as wanted.
  Acknowledged WaitForAck(std::int64_t actor,
                          const std::function<bool(const Acknowledged&)>& wanted) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return acks_.contains(actor) && wanted(acks_[actor]);
    });
    EXPECT_TRUE(came);
    return acks_[actor];
  }
  // 0: none yet.
  std::int64_t AcknowledgedThrough(std::int64_t actor) {
    const std::lock_guard lock(mutex_);
    return acks_.contains(actor) ? acks_[actor].through.value : 0;
  }
  Acknowledged WaitForAck(std::int64_t actor, std::int64_t through) {
    return WaitForAck(actor,
                      [through](const Acknowledged& ack) { return ack.through.value >= through; });
  }

 private:
  const SegmentLog& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TransitionBatch> batches_;        // Guarded by mutex_, as is below.
  std::map<std::int64_t, Acknowledged> acks_;  // Newest, by actor.
};

class IngestTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ingest> Start(RateLimiterOptions rate = {}) {
    return std::make_unique<Ingest>(
        log_,
        source_,
        RateLimiter(rate),
        IngestOptions{.max_credits = 1000, .poll = std::chrono::milliseconds(1)},
        sampled_,
        metrics_,
        monitor::MakeNullLogger());
  }

  TempFolder folder_;
  SegmentLog log_{folder_.path(), {}};
  FakeSource source_{log_};
  std::atomic<std::int64_t> sampled_ = 0;
  monitor::Metrics metrics_;
};

TEST_F(IngestTest, ARowIsInTheLogBeforeItIsAcknowledged) {
  const auto ingest = Start();
  source_.Send(1, 1, 50);

  const auto ack = source_.WaitForAck(1, 50);

  EXPECT_EQ(ack.rows_in_log, 50);
}

TEST_F(IngestTest, RowsThatComeTwiceAreAcknowledgedAndStoredOnce) {
  const auto ingest = Start();
  source_.Send(1, 1, 10);
  source_.Send(1, 1, 10);  // The acknowledgement was lost.
  source_.Send(1, 6, 10);  // Half of them are new.

  source_.WaitForAck(1, 15);

  EXPECT_EQ(log_.end(), 15);
  for (std::int64_t i = 0; i < 15; ++i) EXPECT_EQ(log_.row(i).sequence, i + 1);
  EXPECT_EQ(metrics_.Sum("londi_learner_rows_total"), 15);
  EXPECT_EQ(metrics_.Sum("londi_learner_duplicate_rows_total"), 15);
}

TEST_F(IngestTest, ARestartDoesNotStoreAgainWhatTheLogHas) {
  Start().reset();
  source_.Send(1, 1, 10);
  {
    const auto first_life = Start();
    source_.WaitForAck(1, 10);
  }
  source_.Send(1, 1, 12);

  const auto second_life = Start();
  source_.WaitForAck(1, 12);

  EXPECT_EQ(log_.end(), 12);
}

TEST_F(IngestTest, CreditsAreWhatTheRateLimiterWantsSharedByTheStreams) {
  // 40 rows may come before sampling begins and 10 more ahead of it.
  const auto ingest = Start({.samples_per_row = 2, .min_rows = 40, .slack = 20});
  source_.Send(1, 1, 10);
  EXPECT_EQ(source_.WaitForAck(1, 10).credits, 40);
  source_.Send(2, 1, 20);
  EXPECT_EQ(source_.WaitForAck(2, 20).credits, 10);  // Half of 20.
}

TEST_F(IngestTest, ManyStreamsShareWhatMayBeUnderWay) {
  const auto ingest = Start({.samples_per_row = 2, .min_rows = 1'000'000, .slack = 20});
  source_.Send(1, 1, 1);
  EXPECT_EQ(source_.WaitForAck(1, 1).credits, 1000);

  for (int actor = 2; actor <= 128; ++actor) {
    source_.Send(actor, 1, 1);
    source_.WaitForAck(actor, 1);
  }

  source_.Send(1, 2, 1);
  EXPECT_EQ(source_.WaitForAck(1, 2).credits, 256);  // 32,768 among 128.
}

TEST_F(IngestTest, APausedStreamIsToldWhenSamplingCatchesUp) {
  const auto ingest = Start({.samples_per_row = 2, .min_rows = 40, .slack = 20});
  source_.Send(1, 1, 50);
  EXPECT_EQ(source_.WaitForAck(1, 50).credits, 0);

  sampled_ = 40;  // 20 rows' worth.

  const auto told =
      source_.WaitForAck(1, [](const FakeSource::Acknowledged& ack) { return ack.credits > 0; });
  EXPECT_EQ(told.credits, 20);
  EXPECT_EQ(told.through.value, 50);
}

// Blocks until the thread has failed, at most 20 s.
template <class Error>
void ExpectFailure(const Ingest& ingest) {
  const auto failed = [&] {
    try {
      ingest.ThrowIfFailed();
    } catch (const core::Error&) {
      return true;
    }
    return false;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!failed() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_THROW(ingest.ThrowIfFailed(), Error);
}

TEST_F(IngestTest, AFailureIsRethrownToWhoAsks) {
  const auto ingest = Start();
  EXPECT_NO_THROW(ingest->ThrowIfFailed());
  source_.Send(1, 1, 1, 4);
  source_.Send(1, 2, 1, 5);  // Another number of features.

  ExpectFailure<core::ModelError>(*ingest);
}

// A disk whose syncs wait to be let through, or fail.
class GatedDisk {
 public:
  DiskCalls calls() {
    DiskCalls disk;
    disk.sync_data = [this](int) {
      std::unique_lock lock(mutex_);
      const int number = ++begun_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return number <= let_through_; });
      errno = error;
      return error == 0 ? 0 : -1;
    };
    return disk;
  }
  void WaitForSync(int number) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return begun_ >= number; }));
  }
  void LetThrough(int number) {
    const std::lock_guard lock(mutex_);
    let_through_ = number;
    changed_.notify_all();
  }
  std::atomic<int> error = 0;  // What syncs fail with.

  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int let_through_ = 0;
};

// A disk that may be full.
class FullDiskIngestTest : public IngestTest {
 protected:
  void StartWithRoomFor(int segments,
                        std::chrono::seconds wait_for_room,
                        monitor::Logger logger = monitor::MakeNullLogger()) {
    room_ = segments;
    DiskCalls disk;
    disk.allocate = [this, taken = 0](int fd, std::int64_t bytes) mutable {
      if (taken >= room_) {
        refused_at_.push_back(std::chrono::steady_clock::now());
        ++refused_;
        return ENOSPC;
      }
      ++taken;
      return posix_fallocate(fd, 0, bytes);
    };
    small_log_.emplace(folder_ / "small", SegmentLogOptions{.segment_bytes = 1 << 20}, disk);
    ingest_.emplace(*small_log_,
                    source_,
                    RateLimiter({}),
                    IngestOptions{.wait_for_room = wait_for_room},
                    sampled_,
                    metrics_,
                    std::move(logger));
  }
  void WaitForRefusals(int number) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (refused_ < number && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    ASSERT_GE(refused_, number);
  }

  std::atomic<int> room_ = 0;
  std::atomic<int> refused_ = 0;
  std::vector<core::TimePoint> refused_at_;  // The ingest's thread.
  std::optional<SegmentLog> small_log_;
  std::optional<Ingest> ingest_;
};

TEST_F(FullDiskIngestTest, RowsThatDoNotFitAreAcknowledgedOnceThereIsRoomNoneLostNoneTwice) {
  StartWithRoomFor(1, std::chrono::seconds(600));
  for (std::int64_t i = 0; i < 10; ++i) source_.Send(1, 1000 * i + 1, 1000);
  source_.Send(2, 1, 10);
  const std::int64_t fit = source_.WaitForAck(1, 8001).through.value;
  EXPECT_LT(fit, 9000);  // A part of its batch.
  EXPECT_EQ(small_log_->end(), fit);
  EXPECT_EQ(source_.AcknowledgedThrough(2), 0);
  EXPECT_EQ(metrics_.Sum("londi_learner_log_full"), 1);

  room_ = 2;
  source_.WaitForAck(1, 10'000);
  source_.WaitForAck(2, 10);

  ASSERT_EQ(small_log_->end(), 10'010);
  for (std::int64_t i = 0; i < 10'000; ++i) ASSERT_EQ(small_log_->row(i).sequence, i + 1);
  EXPECT_EQ(metrics_.Sum("londi_learner_log_full"), 0);
  EXPECT_EQ(metrics_.Sum("londi_learner_log_full_total"), 1);
  EXPECT_EQ(metrics_.Sum("londi_learner_duplicate_rows_total"), 0);
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(FullDiskIngestTest, SaysEachTimeThatItIsFullAndThatThereIsRoomAndTriesNowAndThen) {
  std::ostringstream said;
  StartWithRoomFor(1,
                   std::chrono::seconds(600),
                   std::make_shared<spdlog::logger>(
                       "learner", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  constexpr std::int64_t kRowsPerSegment = 8192;
  source_.Send(1, 1, kRowsPerSegment + 1);
  WaitForRefusals(2);
  room_ = 2;
  source_.WaitForAck(1, kRowsPerSegment + 1);
  const int refused_before = refused_;
  source_.Send(1, kRowsPerSegment + 2, kRowsPerSegment);
  WaitForRefusals(refused_before + 1);
  room_ = 3;
  source_.WaitForAck(1, 2 * kRowsPerSegment + 1);
  ingest_.reset();

  EXPECT_EQ(Count(said.str(), "no rows are acknowledged for the time being"), 2) << said.str();
  EXPECT_EQ(Count(said.str(), "why: No space left on device; fix: free some disk space"), 2);
  EXPECT_EQ(Count(said.str(), "the log has room again after"), 2) << said.str();
  EXPECT_EQ(metrics_.Sum("londi_learner_log_full_total"), 2);
  EXPECT_GE(refused_at_.at(1) - refused_at_.at(0), std::chrono::milliseconds(199));
}

TEST_F(FullDiskIngestTest, ADiskThatIsFullForTooLongIsAFailureThatNamesTheCause) {
  StartWithRoomFor(0, std::chrono::seconds(0));

  source_.Send(1, 1, 10);

  ExpectFailure<core::NoRoomError>(*ingest_);
  EXPECT_EQ(source_.AcknowledgedThrough(1), 0);
}

class DurableIngestTest : public IngestTest {
 protected:
  void StartOnDisk() {
    durable_log_.emplace(
        folder_ / "durable", SegmentLogOptions{.durability = Durability::kDisk}, disk_.calls());
    ingest_.emplace(*durable_log_,
                    source_,
                    RateLimiter({}),
                    IngestOptions{},
                    sampled_,
                    metrics_,
                    monitor::MakeNullLogger());
  }

  GatedDisk disk_;
  std::optional<SegmentLog> durable_log_;
  std::optional<Ingest> ingest_;
};

TEST_F(DurableIngestTest, RowsAreAcknowledgedWhenTheSyncThatCoversThemIsOverAndShareIt) {
  StartOnDisk();
  source_.Send(1, 1, 10);
  disk_.WaitForSync(1);
  EXPECT_EQ(source_.AcknowledgedThrough(1), 0);
  source_.Send(1, 11, 5);  // While the sync runs.
  source_.Send(2, 1, 5);
  source_.Send(3, 1, 5);

  disk_.LetThrough(1);
  disk_.WaitForSync(2);
  EXPECT_EQ(source_.AcknowledgedThrough(1), 10);
  EXPECT_EQ(source_.AcknowledgedThrough(2), 0);
  EXPECT_EQ(source_.AcknowledgedThrough(3), 0);
  disk_.LetThrough(2);

  source_.WaitForAck(1, 15);
  source_.WaitForAck(2, 5);
  source_.WaitForAck(3, 5);
  EXPECT_EQ(disk_.begun(), 2);
  EXPECT_EQ(metrics_.Sum("londi_learner_commits_total"), 2);
}

TEST_F(DurableIngestTest, AFailedSyncIsAFailureAndNoAcknowledgement) {
  disk_.error = EIO;
  disk_.LetThrough(1);
  StartOnDisk();

  source_.Send(1, 1, 10);

  ExpectFailure<core::IoError>(*ingest_);
  EXPECT_EQ(source_.AcknowledgedThrough(1), 0);
}

TEST(IngestOptions, RefuseWhatCannotWork) {
  EXPECT_NO_THROW(IngestOptions{}.Validate());
  EXPECT_THROW((IngestOptions{.max_credits = 0}.Validate()), core::ConfigError);
  EXPECT_THROW((IngestOptions{.poll = std::chrono::milliseconds(0)}.Validate()), core::ConfigError);
  EXPECT_THROW((IngestOptions{.wait_for_room = std::chrono::seconds(-1)}.Validate()),
               core::ConfigError);
}

}  // namespace
}  // namespace londi::learner
