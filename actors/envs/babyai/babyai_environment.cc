#include "actors/envs/babyai/babyai_environment.h"

#include <utility>

#include "actors/envs/babyai/level_builder.h"
#include "actors/envs/babyai/rng.h"
#include "actors/envs/babyai/text.h"
#include "actors/envs/babyai/verifier.h"
#include "core/error.h"

namespace londi::actors::babyai {
namespace {

const BabyAiOptions& Validated(const BabyAiOptions& options) {
  options.Validate();
  return options;
}

}  // namespace

void BabyAiOptions::Validate() const {
  if (view_size % 2 == 1 && view_size >= kMinViewSize && view_size <= kMaxViewSize) return;
  throw core::ConfigError(
      {.what = "view_size is " + std::to_string(view_size),
       .why = "the agent stands in the middle of the nearest row of a square view.",
       .fix = "set it to an odd number from 3 to 31 (BabyAI's own is 7)."});
}

BabyAiEnvironment::BabyAiEnvironment(LevelChooser choose_level, const BabyAiOptions& options)
    : choose_level_(std::move(choose_level)), view_(Validated(options).view_size) {}

core::Observation BabyAiEnvironment::Reset(std::uint64_t seed) {
  const std::shared_ptr<const Level> definition = choose_level_(seed);
  NumpyRng rng(seed);
  mission_ = DrawLevel(*definition, rng, level_);
  mission_text_ = SurfaceForm(mission_, level_);
  ResetVerifiers(mission_, level_);
  const RoomGridShape& shape = definition->shape;
  max_steps_ = definition->max_steps > 0 ? definition->max_steps
                                         : NumNavigations(mission_) * shape.room_size *
                                               shape.room_size * shape.num_rows * shape.num_cols;
  num_steps_ = 0;
  running_ = true;
  return Observe();
}

core::Observation BabyAiEnvironment::Observe() {
  const World& world = level_.world;
  world.Look(view_);
  const WorldObject* carried =
      world.carrying == kNoObject ? nullptr : &world.grid.object(world.carrying);
  return {.mission = mission_text_, .sentences = DescribeView(view_, carried)};
}

core::StepResult BabyAiEnvironment::Step(std::string_view action) {
  const std::optional<Action> parsed = ParseAction(action);
  if (!parsed) core::ThrowInadmissible(action, AdmissibleActions());
  return Step(*parsed);
}

core::StepResult BabyAiEnvironment::Step(Action action) {
  if (!running_) {
    throw core::Error({.what = "a step without a running episode",
                       .why = "the episode has ended or was never started.",
                       .fix = "call Reset(seed) first."});
  }
  ++num_steps_;
  level_.world.Apply(action);
  core::StepResult result;
  result.observation = Observe();
  const Status status = Verify(mission_, level_, action);
  if (status == Status::kSuccess) result.reward = RewardAfter(num_steps_);
  result.terminated = status != Status::kContinue;
  result.truncated = num_steps_ >= max_steps_;
  running_ = !result.done();
  return result;
}

double BabyAiEnvironment::RewardAfter(int num_steps) const {
  return 1 - 0.9 * (static_cast<double>(num_steps) / max_steps_);
}

double BabyAiEnvironment::MaxRewardAhead() const {
  return running_ ? RewardAfter(num_steps_ + 1) : 0;
}

std::vector<std::string> BabyAiEnvironment::AdmissibleActions() const {
  return {kActionTexts.begin(), kActionTexts.end()};
}

std::string BabyAiEnvironment::Kind() const {
  if (mission_.nodes.empty()) return "";
  switch (mission_.root().kind) {
    case InstructionKind::kGoTo:
      return "goto";
    case InstructionKind::kOpen:
      return "open";
    case InstructionKind::kPickup:
      return "pickup";
    case InstructionKind::kPutNext:
      return "putnext";
    default:
      return "sequence";
  }
}

std::unique_ptr<core::Environment> BabyAiEnvironment::Clone() const {
  return std::make_unique<BabyAiEnvironment>(*this);
}

}  // namespace londi::actors::babyai
