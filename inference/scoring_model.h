#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "inference/candidate_trie.h"
#include "inference/models/model_spec.h"

namespace londi::inference {

struct ScoringRequest {
  // Requests of one session share a growing prompt: what it has in common with the last one is not
  // computed again. 0: none.
  std::uint64_t session = 0;
  std::span<const TokenId> prompt;  // At least one token.
  const CandidateTrie* trie = nullptr;
};

struct ScoringResult {
  std::vector<float> edge_log_probs;  // [trie nodes] log p(node | prompt, nodes above it), nats.
  std::vector<float> features;        // [d] final-norm hidden state at the prompt's last token.
  std::int64_t computed_tokens = 0;   // Of the prompt and of the trie.
  std::int64_t computed_nodes = 0;    // Of the trie alone.
  double flops = 0;                   // ScoringFlops
};

// An LM that scores tries of candidates. One implementation per family (models/), made by
// MakeScoringModel. Used by one thread at a time.
class ScoringModel {
 public:
  virtual ~ScoringModel() = default;

  virtual const ModelSpec& spec() const = 0;

  // Tokens that Score would compute for this request now, if no other of its session came before it
  // in the batch; for one that comes behind such: as without a session.
  virtual std::int64_t CountNewTokens(const ScoringRequest& request) const = 0;

  // All requests in one forward pass, results in the same order. A request's result does not depend
  // on the others beyond rounding. prompt + deepest path must fit spec().max_positions, ids must be
  // below spec().vocab_size. `on_progress` is called in between, at least once per layer: a pass
  // over long prompts may take longer than anybody waits for a sign of life. May be empty.
  virtual std::vector<ScoringResult> Score(std::span<const ScoringRequest> requests,
                                           const std::function<void()>& on_progress) = 0;
};

}  // namespace londi::inference
