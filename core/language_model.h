#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"

namespace londi::core {

// The two LMs of a run.
enum class Tier : std::uint8_t { kQuick = 0, kDeepthink = 1 };
const char* TierName(Tier tier);  // "quick", "deepthink"

// "Which of these candidates continues this prompt best?" Scored as log p(candidate + terminator |
// prompt), so that "go" and "go forward" compete fairly.
struct LmRequest {
  std::string prompt;  // UTF-8; the whole history, growing append-only within a session.
  std::vector<std::string> candidates;  // 1 to 4096 texts that may follow the prompt.
  std::string terminator = "\n";        // Appended to every candidate; may be empty.
  std::uint64_t session =
      0;  // Requests of one session share a growing prompt (an episode); 0 = none.
  TimePoint deadline = TimePoint::max();  // The reply is worthless afterwards.

  // What answering may need at most (LmUsage::computed_tokens, flops), as the worker finds before
  // it computes anything. Beyond that it refuses: nothing was spent.
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_tokens = kNoLimit;
  std::int64_t max_flops = kNoLimit;

  bool is_limited() const { return max_tokens != kNoLimit || max_flops != kNoLimit; }
  bool Admits(std::int64_t tokens, double flops) const {
    return tokens <= max_tokens &&
           (max_flops == kNoLimit || flops <= static_cast<double>(max_flops));
  }
};

// What the answer cost. FLOPs: 2 * (parameters touched) per computed token plus the head's rows
// (inference.md 6.1).
struct LmUsage {
  std::int64_t prompt_tokens = 0;  // Length of the prompt.
  std::int64_t computed_tokens =
      0;  // Tokens that went through the network, cached prefix excluded.
  std::int64_t candidate_tokens = 0;  // Candidate tokens (trie nodes) among the computed ones.
  double flops = 0;
  double queue_ms = 0;          // Waiting in the worker.
  double compute_ms = 0;        // In the forward pass this request was part of.
  std::int32_t batch_size = 0;  // Requests in that forward pass.
};

// A request's part of the forward pass it shared with others, milliseconds.
double ComputeShareMs(const LmUsage& usage);

// An LM's answer: the best candidate and what the Switcher may know about it.
struct Proposal {
  std::int32_t action =
      0;  // Index of the candidate with the highest log_prob (lowest index on ties).
  std::vector<float>
      log_probs;  // [candidates] natural log, unnormalised over the list, terminator included.
  std::vector<float> features;  // [hidden] final-norm hidden state at the last prompt token.
  float entropy = 0;            // nats, of softmax(log_probs) over the candidates.
  float margin =
      0;  // Probability of the best minus the second best under that softmax; 1 if alone.
  float sequence_prob = 0;  // exp(log_prob) of the chosen candidate.
  LmUsage usage;
  ModelHash model;  // Which weights answered.
};

// Fills action, entropy, margin and sequence_prob from log_probs. One definition for workers,
// caches and fakes.
void SummarizeLogProbs(Proposal& proposal);

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  // Blocks until answered; safe to call from several threads. Throws core::UnavailableError when no
  // worker answered before the deadline, core::OverBudgetError when the answer would need more than
  // the request's limits, core::Error when the request itself is refused.
  virtual Proposal Propose(const LmRequest& request) = 0;
};

}  // namespace londi::core
