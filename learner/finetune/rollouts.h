#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/environment.h"
#include "inference/lm_scorer.h"
#include "learner/finetune/labelled_episode.h"

namespace londi::learner {

using ExpertFactory = std::function<core::EnvironmentWithExpert()>;

// Who corrects a student, and how.
enum class Corrections : std::uint8_t {
  kLabels,    // The student acts to the end, every step labelled (Ross et al. 2011,
              // arXiv:1011.0686, DAgger).
  kTakeover,  // After a random number of the student's steps the expert acts to the end, and only
              // its steps are labels (as in HG-DAgger, Kelly et al. 2019, arXiv:1810.02890).
};

// Which episodes are acted out, and by whom.
struct RolloutPlan {
  std::uint64_t first_seed = 0;  // Of the environment; one more for each episode.
  std::int32_t episodes = 0;
  double student_share = 1;  // Of the episodes; the expert acts in the others.
  Corrections corrections = Corrections::kLabels;
  std::int32_t takeover_steps = 32;  // kTakeover: after 1 to so many of the student's steps, >= 1.
  std::int32_t max_steps = 0;     // An episode is left after so many; 0 = the environment's limit.
  std::int32_t concurrent = 128;  // Episodes at once: the size of the student's batches, >= 1.
  std::uint64_t draw_seed = 1;    // Of who acts, and for how long.
};

// Acts out episodes in lock-step, the student's proposals in one forward pass each, and asks the
// expert at every step what it would have done: demonstrations where it acts, corrections where the
// student does. The student is greedy. Where the expert gives up, episodes in which it acts end,
// and the student's go on without labels. Returns episodes in the order in which they end; fewer
// than planned once `stopping` is true.
//
// `student` may be nullptr when student_share is 0. Throws what the environment and the student
// throw, core::Error for a request that the student cannot answer (an episode beyond its context).
std::vector<LabelledEpisode> RunRollouts(const ExpertFactory& make_environment,
                                         inference::LmScorer* student,
                                         const RolloutPlan& plan,
                                         const std::atomic<bool>& stopping);

}  // namespace londi::learner
