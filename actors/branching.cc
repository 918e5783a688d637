#include "actors/branching.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace londi::actors {
namespace {

bool Disagrees(const core::Decision& decision) {
  return decision.deepthink && decision.deepthink->action != decision.quick.action;
}

// What the original did since a step; filled as it goes on.
struct Tail {
  double task_return = 0;
  std::int32_t calls = 0;
};

// Passes on what the original does and keeps what its gains need.
class Original final : public EpisodeObserver {
 public:
  explicit Original(EpisodeObserver& observer) : observer_(observer) {}

  bool AfterStep(const StepRecord& record) override {
    tails_.emplace_back();
    for (Tail& tail : tails_) {
      tail.task_return += record.reward;
      tail.calls += record.decision.deepthink.has_value();
    }
    activated_ = record.decision.deepthink.has_value();
    disagreed_ = Disagrees(record.decision);
    return observer_.AfterStep(record);
  }

  // Of the last decision.
  bool activated() const { return activated_; }
  bool disagreed() const { return disagreed_; }

  const Tail& tail(std::int32_t step) const { return tails_[static_cast<std::size_t>(step)]; }

 private:
  EpisodeObserver& observer_;
  std::vector<Tail> tails_;  // By step.
  bool activated_ = false;
  bool disagreed_ = false;
};

// Leaves a copy that called DEEPTHINK only to hear the same: nothing will differ but the call.
class UnlessTheyAgree final : public EpisodeObserver {
 public:
  explicit UnlessTheyAgree(EpisodeObserver& observer) : observer_(observer) {}

  bool BeforeDecision() override { return observer_.BeforeDecision(); }
  bool AfterStep(const StepRecord& record) override {
    const bool first = std::exchange(first_, false);
    if (first && record.decision.deepthink && !Disagrees(record.decision)) return false;
    return observer_.AfterStep(record);
  }

 private:
  EpisodeObserver& observer_;
  bool first_ = true;
};

}  // namespace

void BranchingOptions::Validate() const {
  for (const auto& [name, value] : {std::pair{"share", share}, std::pair{"rate", rate}}) {
    if (value >= 0 && value <= 1) continue;
    throw core::ConfigError(
        {.what = "actor.branching." + std::string(name) + " is " + std::to_string(value),
         .why = "it is a share.",
         .fix = "set it between 0 and 1."});
  }
}

core::SwitchChoice ForcedSwitcher::Choose(const core::SwitcherInput& input) {
  core::SwitchChoice choice = free_->Choose(input);
  if (const auto forced = std::exchange(forced_, std::nullopt)) choice.activate = *forced;
  return choice;
}

void ForcedSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  free_->Load(std::move(weights));
}

Brancher::Brancher(const BranchingOptions& options, Copies copies, std::uint64_t seed)
    : options_(options), copies_(std::move(copies)), random_(seed) {}

BranchedEpisode Brancher::Run(core::Environment& environment,
                              DecisionMaker& decision_maker,
                              const EpisodeSetup& setup,
                              const core::Clock& clock,
                              EpisodeObserver& observer) {
  struct Branch {
    std::int32_t step;
    bool activated;  // What the original did.
    EpisodeResult copy;
  };
  std::vector<Branch> branches;
  Playout playout(environment, decision_maker, setup, clock);
  Original original(observer);
  while (!playout.done() && observer.BeforeDecision()) {
    const std::int32_t step = playout.step();
    std::unique_ptr<Playout> copy;
    if (playout.may_call() && random_.Uniform() < options_.rate) {
      EpisodeSetup named = copies_.name(setup);
      named.terms.budget = playout.remaining();
      copy = playout.Fork(copies_.decision_maker, named);
    }
    if (!playout.Step(original)) break;
    const bool activated = original.activated();
    if (copy == nullptr || (activated && !original.disagreed())) continue;
    if (auto result = PlayOut(*copy, !activated)) branches.push_back({step, activated, *result});
  }

  BranchedEpisode episode{.result = playout.result()};
  if (!episode.result.finished) return episode;
  for (const Branch& branch : branches) {
    const Tail& tail = original.tail(branch.step);
    const float sign = branch.activated ? 1.0f : -1.0f;
    episode.gains[branch.step] = {
        .task_return = sign * static_cast<float>(tail.task_return - branch.copy.total_reward),
        .calls = sign * static_cast<float>(tail.calls - branch.copy.calls)};
  }
  return episode;
}

std::optional<EpisodeResult> Brancher::PlayOut(Playout& copy, bool activate) {
  copies_.switcher.Force(activate);
  UnlessTheyAgree observer(copies_.observer);
  while (!copy.done()) {
    if (!observer.BeforeDecision() || !copy.Step(observer)) return std::nullopt;
  }
  return copy.result();
}

}  // namespace londi::actors
