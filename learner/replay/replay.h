#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "learner/replay/nstep.h"
#include "learner/replay/random.h"
#include "learner/replay/segment_log.h"
#include "learner/replay/sum_tree.h"

namespace londi::learner {

struct ReplayOptions {
  std::int64_t capacity = 1'000'000;    // Newest rows that may be sampled, >= 1000.
  double alpha = 0.6;                   // Priority exponent; 0 = uniform. 0..1
  double beta = 0.4;                    // Importance exponent at the start, 0..1; grows to 1 ...
  std::int64_t beta_updates = 100'000;  // ... linearly over that many updates, >= 1.
  void Validate() const;                // Throws core::ConfigError.
};

// Prioritized sampling over the rows of a log: an index in memory, the rows stay where they are.
// Only one thread uses it, the reader of the log.
//
// A row can be sampled once its n-step window is known: n successors have arrived, or the episode
// reached its end, or the episode was broken off (its actor came back as a new incarnation, or a
// row is missing) and the row has a successor. The last row of an episode that was broken off has
// no known successor and is never sampled. Source: Schaul et al. 2016 (arXiv:1511.05952),
// proportional variant, stratified.
class Replay {
 public:
  // n_step: 1..kMaxSteps. `log` outlives the replay.
  //   memory_window  of core's MemoryStart, for networks with a memory; 0 = there is none
  Replay(const SegmentLog& log, ReplayOptions options, int n_step, int memory_window = 0);

  // Indexes the rows up to `end` (at most log.end()), which get the highest priority seen. Returns
  // how many.
  std::int64_t CatchUp(std::int64_t end);

  std::int64_t end() const { return end_; }  // One past the newest row indexed.
  std::int64_t begin() const;                // Oldest row that may be sampled.
  std::int64_t num_sampleable() const { return num_sampleable_; }
  bool IsSampleable(std::int64_t row) const { return Holds(row) && tree_.Get(Slot(row)) > 0; }
  int n_step() const { return n_step_; }
  int memory_window() const { return memory_window_; }
  double Beta(std::int64_t updates) const;  // Annealed importance exponent.

  struct Samples {
    std::vector<std::int64_t> rows;
    std::vector<float> weights;  // Importance weights, the largest is 1.
  };
  // Draws `n` rows with replacement; num_sampleable() must be > 0.
  void Sample(int n, double beta, Random& random, Samples& out) const;
  // Appends `n` of the newest branched rows, drawn evenly, with weight 1; none if there are none.
  void AddBranched(int n, Random& random, Samples& out) const;

  // errors >= 0; a NaN counts as the highest priority seen. Rows that were overwritten meanwhile
  // are ignored.
  void UpdatePriorities(std::span<const std::int64_t> rows, std::span<const float> errors);

  // The row and its successors in the same episode, as many as are known, up to out.size(). Returns
  // how many.
  int Window(std::int64_t row, std::span<std::int64_t> out) const;

  // The rows of the same episode from core's MemoryStart to `row`, oldest first. Where rows are
  // missing, or no longer held, it begins behind them. Needs a memory_window.
  void Past(std::int64_t row, std::vector<std::int64_t>& out) const;

  const SegmentLog& log() const { return log_; }

  // How far each stream is in the rows indexed.
  transport::StreamWatermarks::Snapshot watermarks() const { return {last_.begin(), last_.end()}; }

  // For checkpoints. Leaves belong to rows end - leaves.size() .. end.
  struct State {
    std::int64_t end = 0;
    float max_leaf = 1;         // priority^alpha, as the leaves.
    std::vector<float> leaves;  // 0 = not sampleable.
  };
  State Save() const;
  // Rows the log has lost, or the capacity no longer holds, are skipped. Call it instead of the
  // first CatchUp.
  //   end       how many rows the log had when it was opened; those behind them are not the state's
  //   getting_on  is called again and again meanwhile
  void Restore(const State& state, std::int64_t end, const std::function<void()>& getting_on);

 private:
  using EpisodeKey =
      std::tuple<std::int64_t, std::int64_t, std::int64_t>;  // actor, incarnation, episode
  struct EpisodeHash {
    std::size_t operator()(const EpisodeKey& key) const;
  };
  struct OpenEpisode {
    std::array<std::int64_t, kMaxSteps + 1>
        waiting{};  // Newest rows, not yet sampleable, oldest first.
    int num_waiting = 0;
    std::int32_t last_step = 0;
  };

  std::size_t Slot(std::int64_t row) const {
    return static_cast<std::size_t>(row % options_.capacity);
  }
  bool Holds(std::int64_t row) const { return row >= begin() && row < end_; }
  void Index(std::int64_t number);
  void CloseOlderIncarnations(std::int64_t actor, std::int64_t incarnation);
  void Close(OpenEpisode& episode);
  void MakeSampleable(std::int64_t row);
  void SetLeaf(std::int64_t row, float leaf);

  const SegmentLog& log_;
  const ReplayOptions options_;
  const int n_step_;
  const int memory_window_;
  std::int64_t first_;  // Nothing older was indexed.
  std::int64_t end_;
  std::int64_t num_sampleable_ = 0;
  float max_leaf_ = 1;
  std::deque<std::int64_t> branched_;   // The newest that can be sampled and are held.
  SumTree tree_;                        // By slot: priority^alpha, 0 = not sampleable.
  std::vector<std::int64_t> next_;      // By slot: the successor's row, -1 = none known.
  std::vector<std::int64_t> previous_;  // The same of the predecessor; empty without a memory.
  std::unordered_map<EpisodeKey, OpenEpisode, EpisodeHash> open_;
  std::map<std::int64_t, std::int64_t> newest_incarnation_;  // By actor.
  std::map<transport::StreamId, core::Sequence> last_;
};

}  // namespace londi::learner
