#include "launch/finetune_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "configs/duration_text.h"

namespace londi::launch {

std::string FinetuneLine(const learner::FinetuneProgress& progress,
                         std::int64_t first_step,
                         core::Duration elapsed,
                         std::int32_t final_episodes) {
  if (progress.step == 0) return "collecting demonstrations";
  if (progress.step == progress.steps) {
    return fmt::format("{} steps done | acting in {} unseen episodes, for the model card",
                       progress.steps,
                       final_episodes);
  }
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double steps_per_second =
      static_cast<double>(progress.step - first_step) / std::max(seconds, 1e-3);
  const auto left = std::chrono::seconds(static_cast<std::int64_t>(
      static_cast<double>(progress.steps - progress.step) / std::max(steps_per_second, 1e-6)));
  return fmt::format(
      "step {} of {} | loss {:.4f} | teacher's token {:.1f} % | {:.0f} tokens/s | {} episodes | "
      "success {} | {} left",
      progress.step,
      progress.steps,
      progress.loss,
      100 * progress.accuracy,
      static_cast<double>(progress.tokens) / std::max(seconds, 1e-3),
      progress.episodes,
      progress.validation ? fmt::format("{:.1f} %", 100 * progress.validation->SuccessShare())
                          : "-",
      configs::RoughDuration(left));
}

}  // namespace londi::launch
