#include "inference/lm_scorer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "inference/tokenizers/byte_level.h"

namespace londi::inference {
namespace {

constexpr std::size_t kMostCandidates = 4096;
constexpr std::size_t kEncodingBytes = std::size_t{64} << 20;  // Texts and ids of all sessions.

std::optional<core::ErrorText> CheckTexts(const core::LmRequest& request) {
  const std::size_t count = request.candidates.size();
  if (count < 1 || count > kMostCandidates) {
    return core::ErrorText{.what = "a request has " + std::to_string(count) + " candidates",
                           .why = "1 to " + std::to_string(kMostCandidates) + " can be scored",
                           .fix = "offer at least one action, or split the list"};
  }
  const auto valid = [](const std::string& text) { return IsValidUtf8(text); };
  if (!valid(request.prompt) || !valid(request.terminator) ||
      !std::all_of(request.candidates.begin(), request.candidates.end(), valid)) {
    return core::ErrorText{.what = "a request's text is no valid UTF-8",
                           .why = "the tokenizer works on characters",
                           .fix = "send UTF-8"};
  }
  return std::nullopt;
}

}  // namespace

LmScorer::LmScorer(TokenizerParts tokenizer,
                   std::unique_ptr<ScoringModel> model,
                   core::ModelHash hash)
    : tokenizer_(std::move(tokenizer)), model_(std::move(model)), hash_(std::move(hash)) {
  if (tokenizer_.largest_id() < model_->spec().vocab_size) return;
  throw core::ModelError(
      {.what = "the tokenizer's largest id is " + std::to_string(tokenizer_.largest_id()),
       .why = "the model has " + std::to_string(model_->spec().vocab_size) + " tokens",
       .fix = "tokenizer.json and config.json do not belong together: obtain the folder again"});
}

GrowingEncoding& LmScorer::EncodePrompt(const core::LmRequest& request, GrowingEncoding& scratch) {
  GrowingEncoding& encoding = request.session == 0 ? scratch : encodings_.Touch(request.session);
  tokenizer_.Extend(encoding, request.prompt);
  if (request.session != 0) {
    encodings_.SetBytes(request.session,
                        encoding.text.size() + encoding.ids.size() * sizeof(TokenId));
  }
  return encoding;
}

std::variant<PreparedRequest, core::ErrorText> LmScorer::Prepare(const core::LmRequest& request) {
  if (auto error = CheckTexts(request)) return *std::move(error);
  encodings_.Trim(kEncodingBytes);
  GrowingEncoding scratch;
  GrowingEncoding& encoding = EncodePrompt(request, scratch);
  const std::vector<TokenId>& ids = encoding.ids;

  // Per candidate: what follows the first `stable_ids` ids, and how much of it is the prompt's.
  std::vector<std::vector<TokenId>> paths;
  std::vector<std::size_t> common;
  std::size_t shortest = ids.size();
  for (const std::string& candidate : request.candidates) {
    paths.push_back(tokenizer_.EncodeContinuation(encoding, candidate + request.terminator));
    const auto [in_path, in_ids] =
        std::mismatch(paths.back().begin(),
                      paths.back().end(),
                      ids.begin() + static_cast<std::ptrdiff_t>(encoding.stable_ids),
                      ids.end());
    common.push_back(static_cast<std::size_t>(in_ids - ids.begin()));
    shortest = std::min(shortest, common.back());
    if (in_path == paths.back().end()) {
      return core::ErrorText{.what = "the candidate '" + candidate + "' adds no token",
                             .why = "nothing can be said about how well nothing follows",
                             .fix = "leave empty candidates out, or set a terminator"};
    }
  }

  PreparedRequest prepared{.session = request.session, .prompt = tokenizer_.prefix()};
  prepared.prompt_tokens = static_cast<std::int64_t>(prepared.prompt.size() + ids.size());
  prepared.prompt.insert(
      prepared.prompt.end(), ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shortest));
  std::size_t longest = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto known = static_cast<std::ptrdiff_t>(shortest - encoding.stable_ids);
    paths[i].erase(paths[i].begin(), paths[i].begin() + known);
    prepared.skip.push_back(static_cast<std::int32_t>(common[i] - shortest));
    longest = std::max(longest, paths[i].size());
  }
  if (prepared.prompt.empty()) {
    return core::ErrorText{.what = "a request's prompt is empty",
                           .why = "the first token cannot be predicted from nothing",
                           .fix = "send a prompt, or use a tokenizer with a BOS token"};
  }
  const auto needed = static_cast<std::int64_t>(prepared.prompt.size() + longest);
  if (needed > model_->spec().max_positions) {
    return core::ErrorText{
        .what = "a request needs " + std::to_string(needed) + " tokens",
        .why = "the model reads at most " + std::to_string(model_->spec().max_positions),
        .fix =
            "shorten the episodes (environment's step limit), or use a model with more "
            "max_position_embeddings"};
  }
  prepared.trie = CandidateTrie(paths);
  prepared.new_tokens = model_->CountNewTokens(
      {.session = prepared.session, .prompt = prepared.prompt, .trie = &prepared.trie});
  return prepared;
}

Needs LmScorer::CountNeeds(const PreparedRequest& request, bool follows) const {
  const std::int64_t tokens = model_->CountNewTokens(
      {.session = follows ? 0 : request.session, .prompt = request.prompt, .trie = &request.trie});
  return {.tokens = tokens,
          .flops = ScoringFlops(model_->spec(), tokens, 1 + request.trie.num_inner())};
}

std::optional<core::ErrorText> CheckLimits(const core::LmRequest& request, const Needs& needs) {
  if (request.Admits(needs.tokens, needs.flops)) return std::nullopt;
  const auto limit = [](std::int64_t most) {
    return most == core::LmRequest::kNoLimit ? std::string("any number of") : std::to_string(most);
  };
  return core::ErrorText{.what = "an answer would need " + std::to_string(needs.tokens) +
                                 " tokens and " + std::to_string(needs.flops) + " FLOPs",
                         .why = "the request allows " + limit(request.max_tokens) + " tokens and " +
                                limit(request.max_flops) + " FLOPs",
                         .fix = "nothing to do: nothing was spent, and QUICK's action stands"};
}

std::vector<core::Proposal> LmScorer::Score(std::span<const PreparedRequest> requests,
                                            const std::function<void()>& on_progress) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<ScoringRequest> packed;
  for (const PreparedRequest& request : requests) {
    packed.push_back({.session = request.session, .prompt = request.prompt, .trie = &request.trie});
  }
  std::vector<ScoringResult> results = model_->Score(packed, on_progress);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - begin;
  std::vector<core::Proposal> proposals;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    proposals.push_back(MakeProposal(requests[i], std::move(results[i])));
    proposals.back().usage.compute_ms = elapsed.count();
    proposals.back().usage.batch_size = static_cast<std::int32_t>(requests.size());
  }
  return proposals;
}

core::Proposal LmScorer::MakeProposal(const PreparedRequest& request, ScoringResult result) const {
  core::Proposal proposal;
  for (std::size_t i = 0; i < request.skip.size(); ++i) {
    proposal.log_probs.push_back(
        static_cast<float>(request.trie.SumPath(i, request.skip[i], result.edge_log_probs)));
  }
  core::SummarizeLogProbs(proposal);
  proposal.features = std::move(result.features);
  proposal.usage = {.prompt_tokens = request.prompt_tokens,
                    .computed_tokens = result.computed_tokens,
                    .candidate_tokens = result.computed_nodes,
                    .flops = result.flops};
  proposal.model = hash_;
  return proposal;
}

}  // namespace londi::inference
