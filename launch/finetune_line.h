#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "learner/finetune/finetune.h"

namespace londi::launch {

// "step 600 of 2000 | loss 0.8564 | teacher's token 66.7 % | ... | 40 s left". `first_step`: the
// last one of before this process, `elapsed`: since then. After the last step: what
// `final_episodes` are played for.
std::string FinetuneLine(const learner::FinetuneProgress& progress,
                         std::int64_t first_step,
                         core::Duration elapsed,
                         std::int32_t final_episodes);

}  // namespace londi::launch
