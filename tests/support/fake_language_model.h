#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/language_model.h"

namespace londi::testing {

// An LM whose answer is a hash of the question, or what `answer` makes of it. Thread-safe as long
// as `answer` is.
class FakeLanguageModel final : public core::LanguageModel {
 public:
  using AnswerFunction = std::function<core::Proposal(const core::LmRequest&)>;

  explicit FakeLanguageModel(core::ModelHash model = "00000000000000aa") : model_(model) {}
  explicit FakeLanguageModel(AnswerFunction answer) : answer_(std::move(answer)) {}

  core::Proposal Propose(const core::LmRequest& request) override {
    ++num_calls_;
    {
      const std::lock_guard lock(mutex_);
      last_request_ = request;
    }
    return answer_ ? answer_(request) : Hashed(request, model_);
  }

  std::int64_t num_calls() const { return num_calls_; }
  core::LmRequest last_request() const {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

  static core::Proposal Hashed(const core::LmRequest& request, const core::ModelHash& model) {
    std::uint64_t hash = std::hash<std::string>{}(request.prompt + model);
    core::Proposal proposal;
    for (std::size_t i = 0; i < request.candidates.size(); ++i) {
      hash = hash * 6364136223846793005ULL + 1442695040888963407ULL;
      proposal.log_probs.push_back(-static_cast<float>(hash >> 40) / (1 << 22));
    }
    proposal.features = {static_cast<float>(hash >> 56) / 256.0f, -0.5f, 1.0f, 0.25f};
    proposal.usage = {.prompt_tokens = static_cast<std::int64_t>(request.prompt.size()),
                      .computed_tokens = 5,
                      .candidate_tokens = 2,
                      .flops = 2e6,
                      .queue_ms = 0.25,
                      .compute_ms = 3,
                      .batch_size = 2};
    proposal.model = model;
    core::SummarizeLogProbs(proposal);
    return proposal;
  }

  // Candidate `action` wins.
  static core::Proposal Choosing(const core::LmRequest& request, std::int32_t action) {
    core::Proposal proposal = Hashed(request, "00000000000000aa");
    for (float& log_prob : proposal.log_probs) log_prob = -3;
    proposal.log_probs[static_cast<std::size_t>(action)] = -0.5f;
    core::SummarizeLogProbs(proposal);
    return proposal;
  }

 private:
  const core::ModelHash model_;
  const AnswerFunction answer_;
  std::atomic<std::int64_t> num_calls_ = 0;
  mutable std::mutex mutex_;
  core::LmRequest last_request_;  // Guarded by mutex_.
};

}  // namespace londi::testing
