#include "transport/lm_call.h"

#include <string>

namespace londi::transport {

core::Proposal ProposalOrThrow(LmOutcome outcome) {
  if (auto* proposal = std::get_if<core::Proposal>(&outcome)) return std::move(*proposal);
  LmRefusal& refusal = std::get<LmRefusal>(outcome);
  if (refusal.retry == Retry::kElsewhere || refusal.retry == Retry::kIfUnlimited)
    throw core::UnavailableError(std::move(refusal.reason));
  if (refusal.retry == Retry::kOverBudget) throw core::OverBudgetError(std::move(refusal.reason));
  throw core::Error(std::move(refusal.reason));
}

void ThrowLmDeadline(std::size_t num_workers) {
  throw core::UnavailableError(
      {.what = "no language model answered in time",
       .why = "the request's deadline passed with " + std::to_string(num_workers) +
              " workers reachable.",
       .fix =
           "look at the inference workers' logs; start more of them, or give requests more time"});
}

LmRefusal LmClientClosed() {
  return {.reason = {.what = "the language model's client is closed",
                     .why = "this process is stopping.",
                     .fix = "nothing to do: the episode ends here"}};
}

}  // namespace londi::transport
