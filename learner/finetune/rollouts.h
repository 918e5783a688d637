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

// How the teacher corrects a student.
enum class Corrections : std::uint8_t {
  kLabels,    // The student acts to the end, every step labelled (Ross et al. 2011,
              // arXiv:1011.0686, DAgger).
  kTakeover,  // After a random number of the student's steps the teacher acts to the end, and only
              // its steps are labels (as in HG-DAgger, Kelly et al. 2019, arXiv:1810.02890).
};

// The LMs that act beside the environment's expert. They must outlive the call.
struct RolloutLms {
  inference::LmScorer* student = nullptr;  // nullptr: none, and no episode may be its.
  // Whose actions are the labels, and who demonstrates and takes over, greedily; nullptr: the
  // environment's expert.
  inference::LmScorer* teacher = nullptr;
  inference::LmScorer* partner = nullptr;  // As a student whose detours others must mend.
};

// Which episodes are acted out, and by whom.
struct RolloutPlan {
  std::uint64_t first_seed = 0;  // Of the environment; one more for each episode.
  std::int32_t episodes = 0;
  double student_share = 1;  // Of the episodes; the teacher acts in the others.
  double partner_share = 0;  // Of the student's episodes, 0 without a partner.
  Corrections corrections = Corrections::kLabels;
  std::int32_t takeover_steps = 32;  // kTakeover: after 1 to so many of the student's steps, >= 1.
  std::int32_t max_steps = 0;     // An episode is left after so many; 0 = the environment's limit.
  std::int32_t concurrent = 128;  // Episodes at once: the size of the student's batches, >= 1.
  std::uint64_t draw_seed = 1;    // Of who acts, and for how long.
};

// Acts out episodes in lock-step, the proposals of each LM in one forward pass, and asks the
// teacher what it would have done: demonstrations where it acts, corrections where the student or
// its partner does. LMs are greedy. Where the environment's expert gives up, episodes in which it
// acts end, and the student's go on without labels. Returns episodes in the order in which they
// end; fewer than planned once `stopping` is true.
//
// Throws what the environment and the LMs throw, core::Error for a request that an LM cannot answer
// (an episode beyond its context).
std::vector<LabelledEpisode> RunRollouts(const ExpertFactory& make_environment,
                                         const RolloutLms& lms,
                                         const RolloutPlan& plan,
                                         const std::atomic<bool>& stopping);

}  // namespace londi::learner
