#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "actors/episode.h"
#include "actors/switching/rules.h"

namespace londi::actors {

// Each training task (an environment seed, a cost and a budget) is acted out by two boundary
// policies first, always QUICK and always DEEPTHINK, and then by the policy that learns. What the
// better boundary earned is the task's reference: the learner takes the policy's rows relative to
// it (core/transition.h: Transition::reference), so that doing as well is worth nothing, failing
// cheaply where a boundary succeeds is a loss, and the same success with fewer calls a gain.
//
// In the manner of Zhang et al. 2026, "Budget-Aware Agentic Routing via Boundary-Guided Training"
// (BAAR, arXiv:2602.21227), of which the abstract could be read; decision 0051 says what is ours.
struct BoundaryOptions {
  // Episodes of the policy per task, >= 0; 0 = no boundaries are played.
  std::int32_t rollouts = 0;
  double gamma = 1;       // The learner's discount per step: references are in its terms; (0, 1].
  void Validate() const;  // Throws core::ConfigError.
};

// How hard a task is, as far as its boundaries tell.
enum class Difficulty {
  kEasy,  // QUICK alone succeeds.
  kHard,  // DEEPTHINK does, within the task's budget, and QUICK does not.
  kLost,  // Neither.
};

// What one policy made of a task.
struct BoundaryOutcome {
  bool success = false;
  double value = 0;  // sum_t gamma^t (r_t - c g_t)
};

struct TaskBoundaries {
  BoundaryOutcome quick, deepthink;
  Difficulty difficulty() const;
  // What the better one is worth at the task's cost.
  double reference() const;
};

// Acts out tasks by both boundary policies. One object per thread; everything it is given outlives
// it.
class BoundaryPlayer {
 public:
  struct Parts {
    core::LanguageModel& quick;
    core::LanguageModel& deepthink;
    const core::Clock& clock;
    core::Duration lm_timeout;  // As DecisionMaker's.
    EpisodeObserver& observer;  // Follows both episodes.
    // Names a boundary's episode to the LMs: the task's setup with another id and session.
    std::function<EpisodeSetup(const EpisodeSetup& task)> name;
  };
  BoundaryPlayer(const BoundaryOptions& options, Parts parts);
  BoundaryPlayer(const BoundaryPlayer&) = delete;
  BoundaryPlayer& operator=(const BoundaryPlayer&) = delete;

  // nullopt: the observer left an episode. Throws what the LMs throw.
  std::optional<TaskBoundaries> Play(core::Environment& environment, const EpisodeSetup& task);

 private:
  std::optional<BoundaryOutcome> PlayOne(core::Environment& environment,
                                         DecisionMaker& decision_maker,
                                         const EpisodeSetup& task);

  const BoundaryOptions options_;
  const Parts parts_;
  NeverSwitcher never_;
  AlwaysSwitcher always_;
  DecisionMaker quick_alone_, deepthink_always_;
};

}  // namespace londi::actors
