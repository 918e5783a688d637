#include "learner/replay/replay.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "core/error.h"
#include "core/switcher_network.h"

namespace londi::learner {
namespace {

constexpr std::int64_t kFetchedAhead = 8;  // Rows that are on their way while one is indexed.
constexpr std::int64_t kRowsPerStride = 1 << 16;  // A restore gets on so many at a time.
constexpr double kPriorityFloor = 1e-3;  // Added to every error: nothing is never drawn again.
// What a branch was worth depends on the policy that played it out; old ones are about old
// policies.
constexpr std::size_t kNewestBranched = 20'000;

}  // namespace

void ReplayOptions::Validate() const {
  if (capacity < 1000) {
    throw core::ConfigError({.what = "learner.replay.capacity is " + std::to_string(capacity),
                             .why = "a replay of so few rows forgets what it is to learn from",
                             .fix = "set it to 1000 or more"});
  }
  if (alpha < 0 || alpha > 1 || beta < 0 || beta > 1 || beta_updates < 1) {
    throw core::ConfigError(
        {.what = "learner.replay.alpha, beta or beta_updates is out of range",
         .why = "exponents of prioritized sampling lie between 0 and 1",
         .fix = "set alpha and beta between 0 and 1, beta_updates to 1 or more"});
  }
}

std::size_t Replay::EpisodeHash::operator()(const EpisodeKey& key) const {
  const auto [actor, incarnation, episode] = key;
  std::uint64_t hash = static_cast<std::uint64_t>(actor) * 0x9e3779b97f4a7c15ULL;
  hash = (hash ^ static_cast<std::uint64_t>(incarnation)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ static_cast<std::uint64_t>(episode)) * 0x94d049bb133111ebULL;
  return static_cast<std::size_t>(hash ^ (hash >> 29));
}

Replay::Replay(const SegmentLog& log, ReplayOptions options, int n_step, int memory_window)
    : log_(log),
      options_(options),
      n_step_(n_step),
      memory_window_(memory_window),
      first_(std::max(log.begin(), log.end() - options.capacity)),
      end_(first_),
      tree_(static_cast<std::size_t>(options.capacity)),
      next_(static_cast<std::size_t>(options.capacity), -1),
      previous_(memory_window > 0 ? next_.size() : 0, -1) {
  options_.Validate();
}

std::int64_t Replay::begin() const { return std::max(first_, end_ - options_.capacity); }

double Replay::Beta(std::int64_t updates) const {
  const double done = static_cast<double>(updates) / static_cast<double>(options_.beta_updates);
  return options_.beta + (1 - options_.beta) * std::min(done, 1.0);
}

std::int64_t Replay::CatchUp(std::int64_t end) {
  const std::int64_t before = end_;
  while (end_ < end) {
    log_.Prefetch(std::min(end_ + kFetchedAhead, end - 1), sizeof(StoredRow));
    Index(end_);
  }
  // Not only the oldest: they came in the order in which they could be sampled.
  std::erase_if(branched_, [this](std::int64_t row) { return !Holds(row); });
  return end_ - before;
}

void Replay::Index(std::int64_t number) {
  const StoredRow& row = log_.row(number);
  SetLeaf(number, 0);  // The row that had this slot is overwritten.
  next_[Slot(number)] = -1;
  if (!previous_.empty()) previous_[Slot(number)] = -1;
  end_ = number + 1;
  CloseOlderIncarnations(row.actor, row.incarnation);
  last_[{core::ActorId(row.actor), core::Incarnation(row.incarnation)}] =
      core::Sequence(row.sequence);

  const EpisodeKey key{row.actor, row.incarnation, row.episode};
  auto found = open_.try_emplace(key).first;
  OpenEpisode& episode = found->second;
  if (episode.num_waiting > 0 && row.step != episode.last_step + 1)
    Close(episode);  // A row is missing.
  if (episode.num_waiting > 0) {
    const std::int64_t previous =
        episode.waiting[static_cast<std::size_t>(episode.num_waiting - 1)];
    if (Holds(previous)) next_[Slot(previous)] = number;
    if (!previous_.empty()) previous_[Slot(number)] = previous;
  }
  episode.waiting[static_cast<std::size_t>(episode.num_waiting++)] = number;
  episode.last_step = row.step;

  const bool is_of_older_life = row.incarnation < newest_incarnation_[row.actor];
  if (row.ends_episode() || is_of_older_life) {
    Close(episode);
    open_.erase(found);
  } else if (episode.num_waiting > n_step_) {
    MakeSampleable(episode.waiting[0]);
    std::copy(episode.waiting.begin() + 1,
              episode.waiting.begin() + episode.num_waiting,
              episode.waiting.begin());
    --episode.num_waiting;
  }
}

void Replay::CloseOlderIncarnations(std::int64_t actor, std::int64_t incarnation) {
  std::int64_t& newest = newest_incarnation_.try_emplace(actor, incarnation).first->second;
  if (incarnation <= newest) return;
  newest = incarnation;
  for (auto entry = open_.begin(); entry != open_.end();) {
    const bool is_older =
        std::get<0>(entry->first) == actor && std::get<1>(entry->first) < incarnation;
    if (is_older) Close(entry->second);
    entry = is_older ? open_.erase(entry) : std::next(entry);
  }
}

// No row will follow: what has a successor, or needs none, can be sampled.
void Replay::Close(OpenEpisode& episode) {
  for (int i = 0; i < episode.num_waiting; ++i) {
    const std::int64_t row = episode.waiting[static_cast<std::size_t>(i)];
    if (Holds(row) && (next_[Slot(row)] >= 0 || log_.row(row).is_terminal())) MakeSampleable(row);
  }
  episode.num_waiting = 0;
}

void Replay::MakeSampleable(std::int64_t row) {
  if (!Holds(row)) return;
  SetLeaf(row, max_leaf_);
  if (!log_.row(row).branched()) return;
  branched_.push_back(row);
  if (branched_.size() > kNewestBranched) branched_.pop_front();
}

void Replay::SetLeaf(std::int64_t row, float leaf) {
  const std::size_t slot = Slot(row);
  const float before = tree_.Get(slot);
  if (before == leaf) return;
  num_sampleable_ += (leaf > 0) - (before > 0);
  tree_.Set(slot, leaf);
}

void Replay::Sample(int n, double beta, Random& random, Samples& out) const {
  out.rows.resize(static_cast<std::size_t>(n));
  out.weights.resize(static_cast<std::size_t>(n));
  const double total = tree_.total();
  const double scale = static_cast<double>(num_sampleable_) / total;
  std::vector<double> masses(out.rows.size());
  // One draw from each of n equal strata.
  for (std::size_t i = 0; i < masses.size(); ++i)
    masses[i] = (static_cast<double>(i) + random.Uniform()) / n * total;
  std::vector<std::size_t> slots(masses.size());
  tree_.Find(masses, slots);
  const auto newest_slot = Slot(end_ - 1);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto age = static_cast<std::int64_t>(
        newest_slot >= slots[i]
            ? newest_slot - slots[i]
            : newest_slot + static_cast<std::size_t>(options_.capacity) - slots[i]);
    out.rows[i] = end_ - 1 - age;
    log_.Prefetch(out.rows[i], sizeof(StoredRow));
    __builtin_prefetch(&next_[slots[i]]);
  }
  float largest = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    out.weights[i] = static_cast<float>(std::pow(scale * tree_.Get(slots[i]), -beta));
    largest = std::max(largest, out.weights[i]);
  }
  for (float& weight : out.weights) weight /= largest;
}

void Replay::AddBranched(int n, Random& random, Samples& out) const {
  if (branched_.empty()) return;
  const auto newest = static_cast<std::int32_t>(branched_.size()) - 1;
  for (int i = 0; i < n; ++i) {
    out.rows.push_back(branched_[static_cast<std::size_t>(random.Integer(0, newest))]);
    out.weights.push_back(1);
  }
}

void Replay::UpdatePriorities(std::span<const std::int64_t> rows, std::span<const float> errors) {
  for (const std::int64_t row : rows) tree_.Prefetch(Slot(row));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!Holds(rows[i]) || tree_.Get(Slot(rows[i])) == 0) continue;
    float leaf = static_cast<float>(std::pow(errors[i] + kPriorityFloor, options_.alpha));
    if (!std::isfinite(leaf)) leaf = max_leaf_;
    max_leaf_ = std::max(max_leaf_, leaf);
    SetLeaf(rows[i], leaf);
  }
}

int Replay::Window(std::int64_t row, std::span<std::int64_t> out) const {
  int count = 0;
  for (std::int64_t next = row; next >= 0 && count < static_cast<int>(out.size());
       next = next_[Slot(next)]) {
    out[static_cast<std::size_t>(count++)] = next;
  }
  return count;
}

void Replay::Past(std::int64_t row, std::vector<std::int64_t>& out) const {
  const std::int32_t step = log_.row(row).step;
  const int wanted = step - core::switcher_network::MemoryStart(step, memory_window_) + 1;
  out.clear();
  for (std::int64_t one = row; Holds(one) && static_cast<int>(out.size()) < wanted;
       one = previous_[Slot(one)]) {
    out.push_back(one);
  }
  std::ranges::reverse(out);
}

Replay::State Replay::Save() const {
  State state{.end = end_, .max_leaf = max_leaf_, .leaves = {}};
  for (std::int64_t row = begin(); row < end_; ++row) state.leaves.push_back(tree_.Get(Slot(row)));
  return state;
}

void Replay::Restore(const State& state,
                     std::int64_t end,
                     const std::function<void()>& getting_on) {
  max_leaf_ = state.max_leaf;
  for (const std::int64_t known = std::min(state.end, end); end_ < known; getting_on())
    CatchUp(std::min(end_ + kRowsPerStride, known));
  const std::int64_t first = state.end - static_cast<std::int64_t>(state.leaves.size());
  for (std::int64_t row = std::max(first, begin()); row < end_; ++row) {
    const float leaf = state.leaves[static_cast<std::size_t>(row - first)];
    // Sampleable is what this log says; the checkpoint only knows how much a row is worth.
    if (leaf > 0 && tree_.Get(Slot(row)) > 0) SetLeaf(row, leaf);
  }
}

}  // namespace londi::learner
