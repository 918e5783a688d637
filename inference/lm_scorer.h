#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/ids.h"
#include "core/language_model.h"
#include "inference/candidate_trie.h"
#include "inference/scoring_model.h"
#include "inference/session_lru.h"
#include "inference/tokenizers/tokenizer.h"

namespace londi::inference {

// A request as tokens.
//
// Boundary rule: a candidate's tokens are those of encode(prompt + candidate + terminator) behind
// what they have in common with encode(prompt); so tokens that reach across the prompt's end are
// counted with the candidate. The trie hangs below the part of the prompt that all candidates have
// in common with it.
struct PreparedRequest {
  std::uint64_t session = 0;
  std::vector<TokenId> prompt;
  CandidateTrie trie{{}};
  std::vector<std::int32_t> skip;  // [candidates] tokens of the path that belong to the prompt.
  std::int64_t prompt_tokens = 0;  // Of encode(prompt).
  std::int64_t new_tokens = 0;     // To compute, as far as known now.
};

// What answering a request takes.
struct Needs {
  std::int64_t tokens = 0;  // core::LmUsage::computed_tokens
  double flops = 0;
};

// Texts in, proposals out: tokenizer and model of one LM folder. Used by one thread at a time.
class LmScorer {
 public:
  LmScorer(TokenizerParts tokenizer, std::unique_ptr<ScoringModel> model, core::ModelHash hash);

  // Why a request can never be answered (no candidates, prompt too long, not UTF-8 ...) is a value:
  // the caller refuses it and goes on.
  std::variant<PreparedRequest, core::ErrorText> Prepare(const core::LmRequest& request);

  // What Score would compute for it now, exactly. `follows`: another request of its session comes
  // before it in the same batch.
  Needs CountNeeds(const PreparedRequest& request, bool follows) const;

  // All in one forward pass. usage.queue_ms stays 0, compute_ms and batch_size are the pass's.
  // `on_progress`: ScoringModel::Score.
  std::vector<core::Proposal> Score(std::span<const PreparedRequest> requests,
                                    const std::function<void()>& on_progress = {});

  const core::ModelHash& hash() const { return hash_; }
  const ModelSpec& spec() const { return model_->spec(); }

 private:
  // The request's growing encoding: its session's, or `scratch`.
  GrowingEncoding& EncodePrompt(const core::LmRequest& request, GrowingEncoding& scratch);
  core::Proposal MakeProposal(const PreparedRequest& request, ScoringResult result) const;

  Tokenizer tokenizer_;
  const std::unique_ptr<ScoringModel> model_;
  const core::ModelHash hash_;
  SessionLru<GrowingEncoding> encodings_;
};

// Why `request` may not be answered at that price, if it may not.
std::optional<core::ErrorText> CheckLimits(const core::LmRequest& request, const Needs& needs);

}  // namespace londi::inference
