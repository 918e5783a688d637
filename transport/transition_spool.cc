#include "transport/transition_spool.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace londi::transport {
namespace {

std::int64_t WireBytes(const core::Transition& row) {
  constexpr std::int64_t kColumns = 84;  // All columns but the features, see codec_transitions.cc.
  return kColumns + static_cast<std::int64_t>(row.features.size() * sizeof(std::uint16_t));
}

}  // namespace

void SpoolOptions::Validate() const {
  if (flush_rows >= 1 && joined >= 1 && flush_rows <= 4096 / joined && max_rows >= flush_rows &&
      flush_bytes >= 1 && flush_after.count() >= 0) {
    return;
  }
  throw core::ConfigError({.what = "spool of " + std::to_string(max_rows) +
                                   " rows with batches of " + std::to_string(flush_rows) + ", " +
                                   std::to_string(joined) + " together",
                           .why = "a batch has 1 to 4096 rows and must fit into the spool; flush "
                                  "bytes and time are positive.",
                           .fix = "set 1 <= flush_rows <= min(4096 / joined, max_rows)"});
}

TransitionSpool::TransitionSpool(SpoolOptions options, core::Sequence after)
    : options_(options), pushed_(after.value), acknowledged_(after.value) {
  options_.Validate();
}

void TransitionSpool::Push(core::Transition row, core::TimePoint now) {
  CheckContinues(row);
  if (open_.empty()) opened_at_ = now;
  open_bytes_ += WireBytes(row);
  open_.push_back(std::move(row));
  ++pushed_;
  const bool full = std::ssize(open_) >= options_.flush_rows || open_bytes_ >= options_.flush_bytes;
  if (full) Seal();
}

void TransitionSpool::CheckContinues(const core::Transition& row) {
  const StreamId stream{row.actor, row.incarnation};
  if (!stream_) {
    stream_ = stream;
    num_features_ = row.features.size();
  }
  const bool continues = stream == *stream_ && row.sequence.value == pushed_ + 1 &&
                         row.features.size() == num_features_;
  if (continues) return;
  throw core::ProtocolError(
      {.what = "transition " + std::to_string(row.sequence.value) + " of actor " +
               std::to_string(row.actor.value) + " with " + std::to_string(row.features.size()) +
               " features",
       .why = "the stream of this sink goes on with row " + std::to_string(pushed_ + 1) +
              " of actor " + std::to_string(stream_->actor.value) + ", " +
              std::to_string(num_features_) + " features.",
       .fix = "number and push rows under one lock; give every stream its own sink"});
}

void TransitionSpool::Flush() {
  if (!open_.empty()) Seal();
}

void TransitionSpool::Seal() {
  sealed_.push_back(std::make_shared<TransitionBatch>(TransitionBatch{*stream_, std::move(open_)}));
  open_.clear();
  open_.reserve(static_cast<std::size_t>(options_.flush_rows));
  open_bytes_ = 0;
}

std::shared_ptr<const TransitionBatch> TransitionSpool::TakeNext(core::TimePoint now) {
  if (const auto flush = NextFlush(); flush && now >= *flush) Seal();
  if (!HasUnsent() || !HasCredits(*sealed_[next_])) return nullptr;
  TransitionBatch& batch = *sealed_[next_];
  const auto follower = sealed_.begin() + static_cast<std::ptrdiff_t>(++next_);
  auto after = follower;
  for (; after != sealed_.end() && HasCredits(**after) && FitTogether(batch, **after); ++after)
    std::ranges::move((*after)->rows, std::back_inserter(batch.rows));
  sealed_.erase(follower, after);
  return sealed_[next_ - 1];
}

bool TransitionSpool::HasCredits(const TransitionBatch& batch) const {
  return batch.rows.front().sequence.value <= acknowledged_ + credits_;
}

bool TransitionSpool::FitTogether(const TransitionBatch& a, const TransitionBatch& b) const {
  const std::int64_t rows = std::ssize(a.rows) + std::ssize(b.rows);
  return rows <= options_.flush_rows * options_.joined &&
         rows * WireBytes(a.rows.front()) <= options_.flush_bytes * options_.joined;
}

std::optional<core::TimePoint> TransitionSpool::NextFlush() const {
  if (open_.empty()) return std::nullopt;
  return opened_at_ + options_.flush_after;
}

void TransitionSpool::OnAck(core::Sequence through, std::int64_t credits) {
  if (through.value < acknowledged_) return;
  acknowledged_ = std::min(through.value, pushed_);
  credits_ = credits;
  while (!sealed_.empty() && sealed_.front()->last().value <= acknowledged_) {
    sealed_.pop_front();
    if (next_ > 0) --next_;
  }
}

void TransitionSpool::Rewind(core::Sequence received) {
  next_ = 0;
  while (next_ < sealed_.size() && sealed_[next_]->last() <= received) ++next_;
}

core::Sequence TransitionSpool::last_sent() const {
  if (next_ > 0) return sealed_[next_ - 1]->last();
  return core::Sequence(acknowledged_);
}

SinkStatus TransitionSpool::status() const {
  return {.unacknowledged = unacknowledged(),
          .pushed = core::Sequence(pushed_),
          .acknowledged = core::Sequence(acknowledged_),
          .credits = credits_};
}

}  // namespace londi::transport
