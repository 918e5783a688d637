#include "actors/ask_lm.h"

#include "core/error.h"
#include "core/prompt.h"

namespace londi::actors {
namespace {

// A worker of another version or a broken one must not make us read past a list's end.
void RequireAnswerTo(const core::LmRequest& request, const core::Proposal& proposal) {
  const std::size_t expected = request.candidates.size();
  if (proposal.log_probs.size() == expected && proposal.action >= 0 &&
      static_cast<std::size_t>(proposal.action) < expected)
    return;
  throw core::ProtocolError(
      {.what = "LM '" + proposal.model + "' answered with candidate " +
               std::to_string(proposal.action) + " and " +
               std::to_string(proposal.log_probs.size()) + " log-probabilities for " +
               std::to_string(expected) + " candidates",
       .why = "an answer has one log-probability per candidate and chooses one of them.",
       .fix = "run actors and inference workers from the same build."});
}

}  // namespace

core::LmRequest MakeLmRequest(const std::string& prompt,
                              const std::vector<std::string>& actions,
                              std::uint64_t session) {
  return {.prompt = prompt,
          .candidates = core::Transcript::Candidates(actions),
          .terminator = std::string(core::Transcript::kTerminator),
          .session = session};
}

core::Proposal AskLm(core::LanguageModel& lm, const core::LmRequest& request) {
  core::Proposal proposal = lm.Propose(request);
  RequireAnswerTo(request, proposal);
  return proposal;
}

}  // namespace londi::actors
