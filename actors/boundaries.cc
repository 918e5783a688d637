#include "actors/boundaries.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"

namespace londi::actors {
namespace {

// Passes on what happens and adds up what it is worth.
class Valuing final : public EpisodeObserver {
 public:
  Valuing(EpisodeObserver& observer, double gamma) : observer_(observer), gamma_(gamma) {}

  bool BeforeDecision() override { return observer_.BeforeDecision(); }
  bool AfterStep(const StepRecord& record) override {
    const double cost = record.decision.deepthink ? record.episode.terms.cost : 0;
    value_ += discount_ * (record.reward - cost);
    discount_ *= gamma_;
    return observer_.AfterStep(record);
  }

  double value() const { return value_; }

 private:
  EpisodeObserver& observer_;
  const double gamma_;
  double value_ = 0, discount_ = 1;
};

}  // namespace

void BoundaryOptions::Validate() const {
  core::RequireConfig(rollouts >= 0,
                      "actor.boundaries.rollouts is " + std::to_string(rollouts),
                      "it counts the policy's episodes per task",
                      "set it to 1 or more, or to 0 to play no boundaries");
  core::RequireConfig(gamma > 0 && gamma <= 1,
                      "the discount of the boundaries' returns is " + std::to_string(gamma),
                      "it is the learner's",
                      "set learner.gamma above 0 and up to 1");
}

Difficulty TaskBoundaries::difficulty() const {
  if (quick.success) return Difficulty::kEasy;
  return deepthink.success ? Difficulty::kHard : Difficulty::kLost;
}

double TaskBoundaries::reference() const { return std::max(quick.value, deepthink.value); }

BoundaryPlayer::BoundaryPlayer(const BoundaryOptions& options, Parts parts)
    : options_(options),
      parts_(std::move(parts)),
      quick_alone_(parts_.quick, parts_.deepthink, never_, parts_.clock, parts_.lm_timeout),
      deepthink_always_(parts_.quick, parts_.deepthink, always_, parts_.clock, parts_.lm_timeout) {}

std::optional<TaskBoundaries> BoundaryPlayer::Play(core::Environment& environment,
                                                   const EpisodeSetup& task) {
  const auto quick = PlayOne(environment, quick_alone_, task);
  if (!quick) return std::nullopt;
  const auto deepthink = PlayOne(environment, deepthink_always_, task);
  if (!deepthink) return std::nullopt;
  return TaskBoundaries{.quick = *quick, .deepthink = *deepthink};
}

std::optional<BoundaryOutcome> BoundaryPlayer::PlayOne(core::Environment& environment,
                                                       DecisionMaker& decision_maker,
                                                       const EpisodeSetup& task) {
  Valuing observer(parts_.observer, options_.gamma);
  const EpisodeResult result =
      RunEpisode(environment, decision_maker, parts_.name(task), parts_.clock, observer);
  if (!result.finished) return std::nullopt;
  return BoundaryOutcome{.success = result.success, .value = observer.value()};
}

}  // namespace londi::actors
