#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/language_model.h"

namespace londi::actors {

// The question "which of these actions follows this transcript?", without a deadline. `session`:
// see core::LmRequest.
core::LmRequest MakeLmRequest(const std::string& prompt,
                              const std::vector<std::string>& actions,
                              std::uint64_t session);

// Blocks until answered; throws what LanguageModel::Propose does, and core::ProtocolError for an
// answer that does not fit the question.
core::Proposal AskLm(core::LanguageModel& lm, const core::LmRequest& request);

}  // namespace londi::actors
