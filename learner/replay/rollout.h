#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ids.h"
#include "learner/replay/random.h"
#include "learner/replay/replay.h"

namespace londi::learner {

struct RolloutOptions {
  std::int64_t rows = 2048;        // That a rollout has at least, >= 1.
  int epochs = 4;                  // How often each is learned from, >= 1.
  std::int64_t max_staleness = 2;  // Published weights since the row was acted, at most; >= 0.
  void Validate() const;           // Throws core::ConfigError.
};

// Rows for an algorithm that learns about the policy that acted: the ones that have become
// sampleable since the last rollout, each `epochs` times in shuffled order, then never again. Rows
// that were acted with weights older than `max_staleness` versions are left out. Used by the
// replay's thread.
class Rollout {
 public:
  Rollout(RolloutOptions options, const Replay& replay);

  // Begins a rollout once enough rows are there, if none is under way. Returns how many rows were
  // taken or left out by that.
  //   newest  the version that is published
  std::int64_t BeginIfThereAreRows(core::WeightsVersion newest, Random& random);

  bool is_under_way() const { return !order_.empty(); }

  // The next rows of the epoch, at most `n`; is_under_way(). Weights are 1. An epoch's draws differ
  // by a row at most: no update rests on the few that would be left.
  void Draw(int n, Random& random, Replay::Samples& out);

 private:
  bool IsStale(std::int64_t row, core::WeightsVersion newest) const;
  void Shuffle(Random& random);

  const RolloutOptions options_;
  const Replay& replay_;
  std::int64_t seen_;  // Rows up to here are waiting, were taken or left out.
  std::vector<std::int64_t> waiting_;
  std::vector<std::int64_t> order_;  // Of the rollout under way.
  std::size_t next_ = 0;             // In order_.
  int epochs_left_ = 0;              // After this one.
};

}  // namespace londi::learner
