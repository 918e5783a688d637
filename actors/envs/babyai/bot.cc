#include "actors/envs/babyai/bot.h"

#include <optional>
#include <string>
#include <string_view>

#include "actors/envs/babyai/bot_planner.h"
#include "core/error.h"

namespace londi::actors::babyai {
namespace {

class Bot final : public core::Expert {
 public:
  explicit Bot(const BabyAiEnvironment& environment)
      : environment_(environment), planner_(environment) {}

  void Reset() override {
    if (!environment_.running()) {
      throw core::Error({.what = "the bot was reset without a running episode",
                         .why = "it plans the episode's mission.",
                         .fix = "reset the environment first."});
    }
    planner_.Reset();
    state_ = State::kAdvises;
  }

  std::string Advise(std::string_view previous_action) override {
    if (state_ == State::kNotReset) {
      throw core::Error({.what = "the bot was asked before its first Reset",
                         .why = "it has no mission yet.",
                         .fix = "reset the environment, then the bot."});
    }
    std::optional<Action> taken;
    if (!previous_action.empty()) {
      taken = ParseAction(previous_action);
      if (!taken) core::ThrowInadmissible(previous_action, environment_.AdmissibleActions());
    }
    if (state_ == State::kGaveUp) return "";
    const std::optional<Action> action = planner_.Advise(taken);
    if (!action) {
      state_ = State::kGaveUp;
      return "";
    }
    return std::string(ActionText(*action));
  }

 private:
  enum class State : std::uint8_t { kNotReset, kAdvises, kGaveUp };

  const BabyAiEnvironment& environment_;
  BotPlanner planner_;
  State state_ = State::kNotReset;
};

}  // namespace

std::unique_ptr<core::Expert> MakeBot(const BabyAiEnvironment& environment) {
  return std::make_unique<Bot>(environment);
}

}  // namespace londi::actors::babyai
