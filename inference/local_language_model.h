#pragma once

#include <memory>
#include <mutex>

#include "core/language_model.h"
#include "inference/lm_scorer.h"

namespace londi::inference {

// An LM within this process, one request per forward pass: for tools and tests. Runs go through
// InferenceServer, which batches.
class LocalLanguageModel final : public core::LanguageModel {
 public:
  explicit LocalLanguageModel(std::unique_ptr<LmScorer> scorer) : scorer_(std::move(scorer)) {}

  // Throws core::UnavailableError when the deadline has passed, core::OverBudgetError and
  // core::Error for a request that may or can not be answered.
  core::Proposal Propose(const core::LmRequest& request) override;

 private:
  std::mutex mutex_;
  const std::unique_ptr<LmScorer> scorer_;  // Guarded by mutex_.
};

}  // namespace londi::inference
