#include "actors/envs/babyai/action.h"

namespace londi::actors::babyai {

std::optional<Action> ParseAction(std::string_view text) {
  for (std::size_t i = 0; i < kActionTexts.size(); ++i) {
    if (kActionTexts[i] == text) return static_cast<Action>(i);
  }
  return std::nullopt;
}

}  // namespace londi::actors::babyai
