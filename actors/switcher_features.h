#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/decision.h"
#include "core/environment.h"
#include "core/language_model.h"

namespace londi::actors {

// Scalars that stand behind QUICK's hidden state in the Switcher's features. All are finite and
// within +-16.
enum class Scalar : int {
  // What QUICK says about its own proposal.
  kEntropy,        // nats over the candidates
  kEntropyShare,   // entropy / ln(candidates)
  kMargin,         // best minus second best probability
  kSequenceProb,   // exp(log_prob) of the proposed action
  kBestLogProb,    // nats
  kLogProbGap,     // best minus second best log_prob, nats
  kMeanLogProb,    // over the candidates, nats
  kLogProbSpread,  // standard deviation over the candidates, nats
  // Where the episode stands.
  kNumActions,    // ln(candidates) / 4
  kStepShare,     // step / max_steps
  kStep,          // step / 32
  kReturn,        // task reward so far
  kSeenBefore,    // earlier visits of this observation / 8
  kTriedBefore,   // how often the proposed action was taken in this observation / 8
  kSameAsLast,    // 1: the proposed action is the one taken last
  kNoProgress,    // steps since a new observation or a positive reward, / 8
  kFirstHistory,  // 8 x (g, DEEPTHINK changed the action), newest first
  kFirstActionBit = kFirstHistory + 16,  // one-hot of a 16-valued hash of the proposed action
  kCount = kFirstActionBit + 16,
};
inline constexpr float kCountUnit = 1.0f / 8;  // Of those "/ 8": exact in fp16.
inline constexpr int kNumScalars = static_cast<int>(Scalar::kCount);

// Size of the bag of hashed texts between hidden state and scalars: how many of the mission's
// words and pairs of words, the observation's sentences, the action taken last and the one
// proposed fall into each bucket (feature hashing, Weinberger et al. 2009, arXiv:0902.2206). A
// small QUICK's hidden state forgets what it does not need itself, also what it fails for. The
// sentences are also counted as the mission sees them, each word of the mission replaced by its
// place there (delexicalization): in "go to the red ball", "a red ball 2 steps left" is "a #3 #4 2
// steps left", which is the same sentence for every kind of thing that is looked for.
inline constexpr int kNumTextBuckets = 256;

// Length of the features for an LM with `hidden` features.
constexpr int NumFeatures(int hidden) { return hidden + kNumTextBuckets + kNumScalars; }

// One name per feature: "hidden.0", ..., "text.0", ..., "entropy", ..., for tables and reports.
std::vector<std::string> FeatureNames(int hidden);

// `features` as made below; the scalars are at the end.
float GetScalar(std::span<const float> features, Scalar scalar);
// Whether DEEPTHINK was called `ago` decisions before this one, 1..8.
bool ActivatedBefore(std::span<const float> features, int ago);

// Makes the Switcher's input from what QUICK proposed and what happened before in the episode
// (algorithms.md 2.10). Free of cost and budget, so that a row can be relabelled over both. Rounded
// to fp16, because that is what the learner is sent: both networks see the same numbers. NaN
// becomes 0, infinities and large values are clamped.
class SwitcherFeatures {
 public:
  void StartEpisode(int max_steps);

  // What is seen now; once per decision, before Make. `reward`: of the step that led here.
  void Observe(const core::Observation& observation, double reward);

  // [NumFeatures(quick.features.size())]
  std::vector<float> Make(const core::Proposal& quick,
                          const std::vector<std::string>& actions) const;

  // What was decided and so done in this observation.
  void Record(const core::Decision& decision, std::string_view action);

 private:
  struct PastDecision {
    bool activated = false;
    bool changed = false;
  };

  int max_steps_ = 1;
  int step_ = 0;  // Decisions recorded.
  double return_ = 0;
  int no_progress_ = 0;
  std::uint64_t here_ = 0;                     // Hash of the observation.
  std::array<float, kNumTextBuckets> text_{};  // All but the proposed action.
  std::string last_action_;
  std::array<PastDecision, 8> history_;              // Newest first.
  std::unordered_map<std::uint64_t, int> visits_;    // By observation.
  std::unordered_map<std::uint64_t, int> attempts_;  // By observation and action.
};

}  // namespace londi::actors
