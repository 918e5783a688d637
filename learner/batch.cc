#include "learner/batch.h"

#include <array>
#include <span>
#include <string>

#include "core/error.h"
#include "core/half.h"
#include "core/switcher.h"

namespace londi::learner {
namespace {

Batch::Disagreement DisagreementOf(const StoredRow& row) {
  if (row.deepthink_action == core::Transition::kUnknownAction)
    return Batch::Disagreement::kUnknown;
  return row.agreed() ? Batch::Disagreement::kAgreed : Batch::Disagreement::kDisagreed;
}

// While an input is written the one so far ahead is fetched.
constexpr std::size_t kRowsAhead = 4;

// Fills a Batch row by row, all but its inputs.
class BatchMaker {
 public:
  BatchMaker(const Replay& replay, const BatchOptions& options, Random& random, Batch& out)
      : replay_(replay), log_(replay.log()), options_(options), random_(random), out_(out) {}

  void Make(const Replay::Samples& samples) {
    Clear(samples.rows.size());
    out_.ticks_per_call = options_.relabel.ticks_per_call;
    out_.least_per_call = options_.relabel.least_per_call;
    out_.rows = samples.rows;
    for (const std::int64_t row : samples.rows) FindWindow(row);
    for (std::size_t i = 0; i < samples.rows.size(); ++i) AddTaken(i, samples.weights[i]);
    if (options_.agreement_rows) {
      for (std::size_t i = 0; i < samples.rows.size(); ++i) AddOther(i, samples.weights[i]);
    }
    out_.num_states = static_cast<int>(samples.rows.size());
    out_.num_successors = static_cast<int>(successor_contexts_.size());
    out_.contexts.insert(
        out_.contexts.end(), successor_contexts_.begin(), successor_contexts_.end());
    if (replay_.memory_window() > 0) ChainMemories();
  }

 private:
  void Clear(std::size_t num_states) {
    out_.contexts.clear();
    out_.disagreements.clear();
    out_.behaviour_probs.clear();
    out_.references.clear();
    out_.gains.clear();
    out_.entries.clear();
    out_.horizons.clear();
    out_.horizon_successor.clear();
    out_.horizon_activated.clear();
    out_.horizon_behaviour_prob.clear();
    windows_.clear();
    windows_.reserve(num_states);
    successor_contexts_.clear();
    successor_places_.clear();
  }

  void FindWindow(std::int64_t row) {
    Window& window = windows_.emplace_back();
    window.known = replay_.Window(
        row, std::span(window.rows).first(static_cast<std::size_t>(replay_.n_step() + 1)));
    for (int i = 1; i < window.known; ++i)
      log_.Prefetch(window.rows[static_cast<std::size_t>(i)], sizeof(StoredRow));
  }

  // The choice that was made in a sampled row, with its n-step window.
  void AddTaken(std::size_t state, float weight) {
    const Window& window = windows_[state];
    const int known = window.known;
    std::array<WindowStep, kMaxSteps> steps;
    int num_steps = 0;
    // The last row that is known can only be bootstrapped from, unless the episode ends with it.
    while (num_steps < std::min(known, replay_.n_step())) {
      const StoredRow& stored = log_.row(window.rows[static_cast<std::size_t>(num_steps)]);
      if (num_steps + 1 == known && !stored.is_terminal()) break;
      steps[static_cast<std::size_t>(num_steps++)] = {stored.reward,
                                                      stored.activated(),
                                                      stored.is_terminal(),
                                                      stored.price(),
                                                      least_per_call()};
      if (stored.is_terminal()) break;
    }
    std::array<Horizon, kMaxSteps> horizons;
    int count = MakeHorizons(
        std::span(steps).first(static_cast<std::size_t>(num_steps)), options_.gamma, horizons);

    const StoredRow& stored = log_.row(window.rows[0]);
    const Horizon& whole = horizons[static_cast<std::size_t>(count - 1)];
    const std::int32_t needed = options_.follow_greedy_only ? horizons[0].needed : whole.needed;
    const Context recorded{stored.cost, stored.remaining};
    const Context context =
        stored.branched() ? recorded
                          : Relabel(options_.relabel, recorded, needed, stored.steps_left, random_);
    // From a call on that this budget does not admit, something else would have happened.
    for (int k = 1; k < count; ++k)
      if (!Affords(context.remaining, horizons[static_cast<std::size_t>(k)].needed)) count = k;
    const int from = options_.follow_greedy_only ? 0 : count - 1;
    AddEntry(state,
             stored.activated(),
             weight,
             context,
             std::span(horizons).subspan(static_cast<std::size_t>(from),
                                         static_cast<std::size_t>(count - from)),
             from);
    out_.contexts.push_back(context);
    out_.disagreements.push_back(DisagreementOf(stored));
    out_.behaviour_probs.push_back(stored.behaviour_prob);
    out_.references.push_back(stored.reference);
    out_.gains.push_back(stored.branched() ? std::optional(stored.gain) : std::nullopt);
  }

  // What the choice that was not made would have led to, if that is known.
  enum class Other { kUnknown, kActivation, kNoActivation };
  Other OtherChoice(const StoredRow& stored, const Context& context) const {
    if (stored.activated()) return stored.agreed() ? Other::kNoActivation : Other::kUnknown;
    if (!MayActivate(context.remaining, least_per_call()))
      return Other::kUnknown;  // There is no other.
    // Refused as dearer than what was left, and so it would be with less: QUICK acts.
    const bool was_refused = !stored.may_activate() && stored.remaining > 0;
    if (was_refused && context.remaining >= 0 && context.remaining <= stored.remaining)
      return Other::kNoActivation;
    if (!stored.agreed()) return Other::kUnknown;
    return Affords(context.remaining, stored.price()) ? Other::kActivation : Other::kNoActivation;
  }

  // The choice that was not made, where it would have led to the same action: same reward, same
  // successor, one activation more or less.
  void AddOther(std::size_t state, float weight) {
    const Window& window = windows_[state];
    const StoredRow& stored = log_.row(window.rows[0]);
    const Context context = out_.contexts[state];
    const Other other = OtherChoice(stored, context);
    if (other == Other::kUnknown) return;
    const std::array<WindowStep, 1> step{{{stored.reward,
                                           other == Other::kActivation,
                                           stored.is_terminal(),
                                           stored.price(),
                                           least_per_call()}}};
    std::array<Horizon, 1> horizon;
    MakeHorizons(step, options_.gamma, horizon);
    AddEntry(state, !stored.activated(), weight, context, horizon, 0);
  }

  // `horizons` begin after `first` + 1 rows of the state's window.
  void AddEntry(std::size_t state,
                bool activate,
                float weight,
                Context context,
                std::span<const Horizon> horizons,
                int first) {
    out_.entries.push_back({.state = static_cast<std::int32_t>(state),
                            .activate = activate,
                            .weight = weight,
                            .first_horizon = static_cast<std::int32_t>(out_.horizons.size()),
                            .num_horizons = static_cast<std::int32_t>(horizons.size())});
    for (std::size_t i = 0; i < horizons.size(); ++i) {
      out_.horizons.push_back(horizons[i]);
      if (horizons[i].terminal) {
        out_.horizon_successor.push_back(-1);
        out_.horizon_activated.push_back(0);
        out_.horizon_behaviour_prob.push_back(1);
        continue;
      }
      const std::size_t index = static_cast<std::size_t>(first) + i + 1;
      const std::int64_t successor = windows_[state].rows[index];
      out_.horizon_successor.push_back(static_cast<std::int32_t>(successor_contexts_.size()));
      out_.horizon_activated.push_back(log_.row(successor).activated());
      out_.horizon_behaviour_prob.push_back(log_.row(successor).behaviour_prob);
      out_.rows.push_back(successor);
      successor_places_.push_back({state, index});
      successor_contexts_.push_back({context.cost, Spend(context.remaining, horizons[i].spent)});
    }
  }

  // What the memory reads for each state and successor.
  void ChainMemories() {
    MemoryChainMaker chains;
    std::vector<std::int64_t> past;
    for (const Window& window : windows_) {
      replay_.Past(window.rows[0], past);
      chains.Add(past,
                 log_.row(past[0]).step,
                 std::span(window.rows).first(static_cast<std::size_t>(window.known)),
                 replay_.memory_window());
    }
    for (std::size_t state = 0; state < windows_.size(); ++state) chains.Want(state, 0);
    for (const SuccessorPlace& place : successor_places_) chains.Want(place.state, place.index);
    chains.Finish(out_.memory);
  }

  std::int32_t least_per_call() const { return options_.relabel.least_per_call; }

  struct Window {
    std::array<std::int64_t, kMaxSteps + 1> rows{};  // From the sampled one on.
    int known = 0;                                   // So many of them.
  };

  const Replay& replay_;
  const SegmentLog& log_;
  const BatchOptions& options_;
  Random& random_;
  Batch& out_;
  std::vector<Window> windows_;
  std::vector<Context> successor_contexts_;
  struct SuccessorPlace {
    std::size_t state;  // Whose window it lies in,
    std::size_t index;  // and where there.
  };
  std::vector<SuccessorPlace> successor_places_;  // [num_successors]
};

}  // namespace

void BatchOptions::Validate() const {
  if (batch_size < 1 || batch_size > 65536) {
    throw core::ConfigError({.what = "learner.batch_size is " + std::to_string(batch_size),
                             .why = "an update needs rows, and they must fit into memory",
                             .fix = "set it between 1 and 65536"});
  }
  if (!(gamma > 0 && gamma <= 1)) {
    throw core::ConfigError({.what = "learner.gamma is " + std::to_string(gamma),
                             .why = "it discounts the reward of the next step",
                             .fix = "set it above 0 and up to 1"});
  }
  if (branched_rows < 0 || branched_rows >= batch_size) {
    throw core::ConfigError({.what = "learner.branched_rows is " + std::to_string(branched_rows),
                             .why = "it is a part of learner.batch_size",
                             .fix = "set it between 0 and " + std::to_string(batch_size - 1)});
  }
  relabel.Validate();
}

void ChooseRows(const Replay& replay,
                const Replay::Samples& samples,
                const BatchOptions& options,
                Random& random,
                Batch& out) {
  BatchMaker(replay, options, random, out).Make(samples);
}

void GatherInputs(const SegmentLog& log, Batch& batch) {
  const auto features = static_cast<std::size_t>(log.num_features());
  const std::size_t width = features + core::kNumContextInputs;
  batch.width = static_cast<int>(width);
  const std::span<float> inputs = batch.inputs.Resize(batch.rows.size() * width);
  const std::size_t row_bytes = sizeof(StoredRow) + 2 * features;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    if (i + kRowsAhead < batch.rows.size()) log.Prefetch(batch.rows[i + kRowsAhead], row_bytes);
    const std::span<float> input = inputs.subspan(i * width, width);
    core::ToFloat(log.features(batch.rows[i]), input.first(features));
    core::EncodeContext(batch.contexts[i].cost,
                        core::CallsWorth(batch.contexts[i].remaining, batch.ticks_per_call),
                        log.row(batch.rows[i]).steps_left,
                        input.subspan(features));
  }
  const std::vector<std::int64_t>& read = batch.memory.rows;
  const std::span<float> to = batch.memory.features.Resize(read.size() * features);
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (i + kRowsAhead < read.size()) log.Prefetch(read[i + kRowsAhead], row_bytes);
    core::ToFloat(log.features(read[i]), to.subspan(i * features, features));
  }
}

void MakeBatch(const Replay& replay,
               const Replay::Samples& samples,
               const BatchOptions& options,
               Random& random,
               Batch& out) {
  ChooseRows(replay, samples, options, random, out);
  GatherInputs(replay.log(), out);
}

}  // namespace londi::learner
