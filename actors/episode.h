#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/decision_maker.h"
#include "core/clock.h"
#include "core/decision.h"
#include "core/environment.h"
#include "core/ids.h"
#include "core/prompt.h"

namespace londi::actors {

// Each thread acts in its own environment.
using EnvironmentFactory = std::function<std::unique_ptr<core::Environment>()>;

struct EpisodeSetup {
  core::EpisodeId id;
  std::uint64_t seed = 0;  // Of the environment, see seeds.h.
  EpisodeTerms terms;
  std::uint64_t session = 1;  // Names the episode to the LMs, never 0.
  float reference = 0;        // Of its rows (core/transition.h).
};

// One decision with what came of it.
struct StepRecord {
  const EpisodeSetup& episode;
  const core::Decision& decision;
  std::int32_t step = 0;        // 0-based.
  std::int32_t steps_left = 0;  // This step included.
  std::int32_t remaining = 0;   // z before the decision, ticks.
  float reward = 0;
  bool terminated = false;
  bool truncated = false;
  core::Duration env_time{0};  // Of this step.
  DecisionTimes times;         // Of this decision.
};

// Who follows an episode. Called by the episode's thread.
class EpisodeObserver {
 public:
  virtual ~EpisodeObserver() = default;
  // Before each decision: new weights are loaded here. False: leave the episode now.
  virtual bool BeforeDecision() { return true; }
  // False: leave the episode now.
  virtual bool AfterStep(const StepRecord&) { return true; }
};

// Sums over an episode.
struct EpisodeResult {
  bool finished = false;  // False: the observer left it.
  bool success = false;   // Terminated with a reward > 0.
  std::string kind;
  double total_reward = 0;
  std::int32_t steps = 0;
  std::int32_t calls = 0;                   // DEEPTHINK's answers, counted apart from the governor,
  std::int64_t spent = 0;                   // ... and their prices, ticks.
  std::int32_t refused = 0;                 // Calls that would have cost more than was left.
  std::vector<std::int32_t> call_steps;     // [calls] the steps they were made in, 0-based.
  std::vector<std::int32_t> changed_steps;  // Of these, where the action is another than QUICK's.
  std::vector<float> call_disagreements;    // [calls] SwitchChoice::disagreement before each.

  struct TierUsage {
    std::int64_t tokens = 0;  // Computed.
    double gflops = 0;
    double compute_ms = 0;  // Share of the forward passes this episode's requests were part of.
  };
  TierUsage quick, deepthink;
  core::Duration env_time{0};  // In the environment and the transcript.
  core::Duration total_time{0};
};

// An episode under way. What the LMs throw comes out of Step: the rows up to then stand, as if the
// episode had been left.
class Playout {
 public:
  // Begins it. `environment`, `decision_maker` and `clock` outlive the playout, which is the only
  // one to use the first two meanwhile.
  Playout(core::Environment& environment,
          DecisionMaker& decision_maker,
          const EpisodeSetup& setup,
          const core::Clock& clock);

  // A copy that goes on from here by itself, in a copy of the environment; nullptr where that
  // cannot be copied. Its steps are numbered on, its sums begin at 0.
  //   decision_maker  has the same LMs
  //   setup           its id and session; terms: what is left of this one's
  std::unique_ptr<Playout> Fork(DecisionMaker& decision_maker, const EpisodeSetup& setup) const;

  bool done() const { return state_.done(); }

  // One decision and one step. False: the observer leaves the episode.
  bool Step(EpisodeObserver& observer);

  // Sums up to now.
  EpisodeResult result() const;

  std::int32_t step() const { return step_; }  // Of the next decision.
  std::int32_t remaining() const { return decision_maker_->budget().remaining(); }
  bool may_call() const { return decision_maker_->budget().CanReserve(); }
  const EpisodeSetup& setup() const { return setup_; }

 private:
  Playout() = default;

  std::unique_ptr<core::Environment> own_environment_;  // Of a copy.
  core::Environment* environment_ = nullptr;
  DecisionMaker* decision_maker_ = nullptr;
  const core::Clock* clock_ = nullptr;
  EpisodeSetup setup_;
  core::TimePoint started_;
  core::StepResult state_;
  core::Transcript transcript_;
  std::vector<std::string> actions_;
  std::int32_t step_ = 0;
  EpisodeResult sums_;
};

// Acts out one episode, straight through.
EpisodeResult RunEpisode(core::Environment& environment,
                         DecisionMaker& decision_maker,
                         const EpisodeSetup& setup,
                         const core::Clock& clock,
                         EpisodeObserver& observer);

}  // namespace londi::actors
