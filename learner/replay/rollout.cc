#include "learner/replay/rollout.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"

namespace londi::learner {
namespace {

void Require(bool holds, const char* key, std::int64_t value, const char* fix) {
  if (holds) return;
  throw core::ConfigError(
      {.what = std::string("learner.rollout.") + key + " is " + std::to_string(value),
       .why = "an on-policy algorithm learns from rollouts",
       .fix = fix});
}

}  // namespace

void RolloutOptions::Validate() const {
  Require(rows >= 1, "rows", rows, "set it to 1 or more");
  Require(epochs >= 1, "epochs", epochs, "set it to 1 or more");
  Require(max_staleness >= 0, "max_staleness", max_staleness, "set it to 0 or more");
}

Rollout::Rollout(RolloutOptions options, const Replay& replay)
    : options_(options), replay_(replay), seen_(replay.end()) {
  options_.Validate();
}

bool Rollout::IsStale(std::int64_t row, core::WeightsVersion newest) const {
  return row < replay_.begin() ||
         replay_.log().row(row).weights < newest.value - options_.max_staleness;
}

std::int64_t Rollout::BeginIfThereAreRows(core::WeightsVersion newest, Random& random) {
  if (is_under_way()) return 0;
  for (; seen_ < replay_.end(); ++seen_) waiting_.push_back(seen_);
  const std::size_t before = waiting_.size();
  std::erase_if(waiting_, [&](std::int64_t row) { return IsStale(row, newest); });
  auto left_out = static_cast<std::int64_t>(before - waiting_.size());

  // Rows whose windows are not yet known stay for the next one.
  const auto ready = std::ranges::stable_partition(
      waiting_, [&](std::int64_t row) { return replay_.IsSampleable(row); });
  const std::int64_t num_ready = ready.begin() - waiting_.begin();
  if (num_ready < options_.rows) return left_out;
  order_.assign(waiting_.begin(), ready.begin());
  waiting_.erase(waiting_.begin(), ready.begin());
  epochs_left_ = options_.epochs - 1;
  Shuffle(random);
  return left_out + num_ready;
}

void Rollout::Draw(int n, Random& random, Replay::Samples& out) {
  const std::size_t left = order_.size() - next_, most = static_cast<std::size_t>(n);
  const std::size_t draws = (left + most - 1) / most;
  const std::size_t count = (left + draws - 1) / draws;
  const auto first = order_.begin() + static_cast<std::ptrdiff_t>(next_);
  out.rows.assign(first, first + static_cast<std::ptrdiff_t>(count));
  out.weights.assign(count, 1.0f);
  next_ += count;
  if (next_ < order_.size()) return;
  if (epochs_left_ > 0) {
    --epochs_left_;
    Shuffle(random);
  } else {
    order_.clear();
  }
}

void Rollout::Shuffle(Random& random) {
  next_ = 0;
  for (std::size_t i = order_.size(); i > 1; --i) {
    const auto other = static_cast<std::size_t>(random.Integer(0, static_cast<int>(i) - 1));
    std::swap(order_[i - 1], order_[other]);
  }
}

}  // namespace londi::learner
