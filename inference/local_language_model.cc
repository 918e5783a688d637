#include "inference/local_language_model.h"

#include <chrono>

#include "core/error.h"

namespace londi::inference {

core::Proposal LocalLanguageModel::Propose(const core::LmRequest& request) {
  const std::lock_guard lock(mutex_);
  if (std::chrono::steady_clock::now() > request.deadline) {
    throw core::UnavailableError({.what = "an LM request's deadline has passed",
                                  .why = "earlier requests took too long",
                                  .fix = "use fewer threads, or later deadlines"});
  }
  auto prepared = scorer_->Prepare(request);
  if (const auto* error = std::get_if<core::ErrorText>(&prepared)) throw core::Error(*error);
  const auto& ready = std::get<PreparedRequest>(prepared);
  if (auto error = CheckLimits(request, scorer_->CountNeeds(ready, /*follows=*/false)))
    throw core::OverBudgetError(*std::move(error));
  return std::move(scorer_->Score({&ready, 1}).front());
}

}  // namespace londi::inference
