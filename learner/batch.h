#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "learner/host_buffer.h"
#include "learner/memory_chains.h"
#include "learner/replay/nstep.h"
#include "learner/replay/relabel.h"
#include "learner/replay/replay.h"

namespace londi::learner {

struct BatchOptions {
  int batch_size = 512;            // Rows per update, 1..65536.
  double gamma = 0.99;             // Discount per step, (0, 1].
  bool follow_greedy_only = true;  // n-step windows end where the behaviour was not greedy
                                   // (ChooseHorizon); false = uncorrected.
  int branched_rows = 0;           // Of these rows so many are branched ones, 0..batch_size - 1.
  bool agreement_rows = true;  // A row whose LMs agreed teaches both choices (algorithms.md 2.4.1).
  RelabelOptions relabel;
  void Validate() const;  // Throws core::ConfigError.
};

// One update's data in flat buffers. A *state* is a sampled row under its (relabelled) cost and
// budget; a *successor* is a later row of its window, under the same cost and what is left of the
// budget then. Inputs are network inputs: features ++ core::EncodeContext.
struct Batch {
  explicit Batch(bool pinned = false) : inputs(pinned), memory(pinned) {}

  int num_states = 0;
  int num_successors = 0;
  std::int32_t ticks_per_call = 1;  // Of the contexts' budgets.
  std::int32_t least_per_call = 1;  // Of MayActivate.
  int width = 0;                    // num_features + core::kNumContextInputs
  HostBuffer inputs;                // [num_states + num_successors, width], states first.
  std::vector<Context> contexts;    // [num_states + num_successors]
  std::vector<std::int64_t> rows;   // [num_states + num_successors] their numbers in the log.

  MemoryChains memory;  // Empty where the replay has no memory_window.

  // [num_states] Whether DEEPTHINK would have acted otherwise than QUICK, as far as it was asked.
  enum class Disagreement : std::uint8_t { kUnknown, kAgreed, kDisagreed };
  std::vector<Disagreement> disagreements;

  std::vector<float> behaviour_probs;  // [num_states] Of the choices taken, when they were.

  std::vector<float> references;  // [num_states] core::Transition::reference

  // [num_states] Of branched rows. They keep their cost and budget: the copy was played at these.
  std::vector<std::optional<core::Transition::Gain>> gains;

  // What one choice of one state is to be taught. Entry i < num_states is the choice taken in
  // sampled row i; then come the other choices of rows in which the LMs agreed.
  struct Entry {
    std::int32_t state = 0;
    bool activate = false;  // g
    float weight = 1;       // Importance weight.
    std::int32_t first_horizon = 0;
    std::int32_t num_horizons = 0;  // >= 1
  };
  std::vector<Entry> entries;

  std::vector<Horizon> horizons;  // Of all entries.
  std::vector<std::int32_t>
      horizon_successor;  // [horizons] its successor, 0 .. num_successors; -1 if terminal.
  std::vector<std::uint8_t> horizon_activated;  // [horizons] the recorded g of that successor,
  std::vector<float> horizon_behaviour_prob;    // with which probability it was chosen,
};

// What `samples` are to teach: their windows, relabelled. All of a batch but its inputs.
void ChooseRows(const Replay& replay,
                const Replay::Samples& samples,
                const BatchOptions& options,
                Random& random,
                Batch& out);

// Reads the inputs of the batch's rows, and what its memory reads, from the log they were chosen
// from.
void GatherInputs(const SegmentLog& log, Batch& batch);

// Both.
void MakeBatch(const Replay& replay,
               const Replay::Samples& samples,
               const BatchOptions& options,
               Random& random,
               Batch& out);

}  // namespace londi::learner
