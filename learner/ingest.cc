#include "learner/ingest.h"

#include <pthread.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/error.h"

namespace londi::learner {
namespace {

// A stream that sent nothing for so long gets no share of the credits; it is granted its share
// again when it sends.
constexpr std::chrono::seconds kQuietAfter{30};

// One commit waits for no more than that: the first row of a group is not acknowledged before.
constexpr std::int64_t kMostRowsPerCommit = 8192;

}  // namespace

void IngestOptions::Validate() const {
  if (max_credits < 1) {
    throw core::ConfigError({.what = "learner.ingest.max_credits is " + std::to_string(max_credits),
                             .why = "an actor without credits never sends a row",
                             .fix = "set it to 1 or more"});
  }
  if (poll.count() < 1 || poll.count() > 1000) {
    throw core::ConfigError(
        {.what = "learner.ingest.poll is " + std::to_string(poll.count()) + " ms",
         .why = "paused actors wait that long for new credits",
         .fix = "set it between 1 and 1000 ms"});
  }
}

Ingest::Ingest(SegmentLog& log,
               transport::TransitionSource& source,
               RateLimiter limiter,
               IngestOptions options,
               const std::atomic<std::int64_t>& sampled,
               monitor::Metrics& metrics,
               monitor::Logger logger)
    : log_(log),
      source_(source),
      limiter_(limiter),
      options_(options),
      sampled_(sampled),
      logger_(std::move(logger)),
      rows_total_(
          metrics.GetCounter("londi_learner_rows_total", "Transitions appended to the log")),
      duplicates_total_(metrics.GetCounter("londi_learner_duplicate_rows_total",
                                           "Transitions refused as already stored")),
      commits_total_(metrics.GetCounter("londi_learner_commits_total",
                                        "Groups of transitions committed to the log")),
      credits_(metrics.GetGauge("londi_learner_credits_rows", "Rows that each stream may send")) {
  options_.Validate();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "learn.ingest");
    try {
      Run();
    } catch (...) {
      std::lock_guard lock(failure_mutex_);
      failure_ = std::current_exception();
    }
  });
}

Ingest::~Ingest() {
  stopping_ = true;
  thread_.join();
}

void Ingest::ThrowIfFailed() const {
  std::lock_guard lock(failure_mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Ingest::Run() {
  while (!stopping_) {
    TakeGroup();
    GrantCredits(std::chrono::steady_clock::now());
  }
}

// Waits for one batch and takes whatever else is there already.
void Ingest::TakeGroup() {
  const core::TimePoint now = std::chrono::steady_clock::now();
  std::set<transport::StreamId> group;
  std::int64_t rows = 0;
  while (rows < kMostRowsPerCommit) {
    const auto batch = source_.Receive(group.empty() ? now + options_.poll : now);
    if (!batch) break;
    Append(*batch);
    group.insert(batch->stream);
    rows += std::ssize(batch->rows);
  }
  if (group.empty()) return;
  log_.Commit();
  commits_total_.Increment();
  for (const transport::StreamId& id : group) {
    Stream& stream = streams_.at(id);
    stream.credits = CreditsPerStream();
    source_.Ack(id, stream.stored, stream.credits);
  }
}

void Ingest::Append(const transport::TransitionBatch& batch) {
  const SegmentLog::Appended appended = log_.Append(batch.rows);
  rows_total_.Increment(static_cast<double>(appended.rows));
  duplicates_total_.Increment(static_cast<double>(appended.duplicates));
  const auto [stream, is_new] = streams_.try_emplace(batch.stream);
  if (is_new) {
    logger_->info("actor={} incarnation={} sends transitions",
                  batch.stream.actor.value,
                  batch.stream.incarnation.value);
  }
  stream->second.stored = batch.last();
  stream->second.seen = std::chrono::steady_clock::now();
}

// Streams whose share grew hear of it at once: a paused one sends nothing that could be answered.
void Ingest::GrantCredits(core::TimePoint now) {
  std::erase_if(streams_, [&](const auto& entry) {
    return entry.second.credits > 0 && now - entry.second.seen > kQuietAfter;
  });
  const std::int64_t credits = CreditsPerStream();
  credits_.Set(static_cast<double>(credits));
  for (auto& [id, stream] : streams_) {
    const bool worth_telling = credits >= std::min(2 * stream.credits + 1, options_.max_credits);
    if (!worth_telling || credits == stream.credits) continue;
    stream.credits = credits;
    source_.Ack(id, stream.stored, credits);
  }
}

std::int64_t Ingest::CreditsPerStream() const {
  const auto num_streams = static_cast<std::int64_t>(std::max<std::size_t>(streams_.size(), 1));
  const std::int64_t wanted =
      limiter_.RowsWanted(log_.end(), sampled_.load(std::memory_order_relaxed));
  return std::min(options_.max_credits, (wanted + num_streams - 1) / num_streams);
}

}  // namespace londi::learner
