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

// Passes on what the original does and keeps what its gains need.
class Original final : public EpisodeObserver {
 public:
  Original(EpisodeObserver& observer, double gamma) : observer_(observer), gamma_(gamma) {}

  bool AfterStep(const StepRecord& record) override {
    tails_.emplace_back();
    for (BranchTail& tail : tails_) tail.Add(record, gamma_);
    activated_ = record.decision.deepthink.has_value();
    disagreed_ = Disagrees(record.decision);
    return observer_.AfterStep(record);
  }

  // Of the last decision.
  bool activated() const { return activated_; }
  bool disagreed() const { return disagreed_; }

  const BranchTail& tail(std::int32_t step) const { return tails_[static_cast<std::size_t>(step)]; }

 private:
  EpisodeObserver& observer_;
  const double gamma_;
  std::vector<BranchTail> tails_;  // By step.
  bool activated_ = false;
  bool disagreed_ = false;
};

// What a copy does. It is left if it called DEEPTHINK only to hear the same: nothing will differ
// but the call.
class UnlessTheyAgree final : public EpisodeObserver {
 public:
  UnlessTheyAgree(EpisodeObserver& observer, double gamma) : observer_(observer), gamma_(gamma) {}

  const BranchTail& tail() const { return tail_; }

  bool BeforeDecision() override { return observer_.BeforeDecision(); }
  bool AfterStep(const StepRecord& record) override {
    tail_.Add(record, gamma_);
    const bool first = std::exchange(first_, false);
    if (first && record.decision.deepthink && !Disagrees(record.decision)) return false;
    return observer_.AfterStep(record);
  }

 private:
  EpisodeObserver& observer_;
  const double gamma_;
  BranchTail tail_;
  bool first_ = true;
};

}  // namespace

void BranchTail::Add(const StepRecord& record, double gamma) {
  task_return += discount * record.reward;
  if (record.decision.deepthink) calls += discount;
  discount *= gamma;
}

void BranchingOptions::Validate() const {
  for (const auto& [name, value] : {std::pair{"share", share}, std::pair{"rate", rate}}) {
    if (value >= 0 && value <= 1) continue;
    throw core::ConfigError(
        {.what = "actor.branching." + std::string(name) + " is " + std::to_string(value),
         .why = "it is a share.",
         .fix = "set it between 0 and 1."});
  }
  core::RequireConfig(gamma > 0 && gamma <= 1,
                      "the discount of the branches' gains is " + std::to_string(gamma),
                      "they are in the learner's terms",
                      "set learner.gamma above 0 and up to 1");
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
    BranchTail copy;
  };
  std::vector<Branch> branches;
  Playout playout(environment, decision_maker, setup, clock);
  Original original(observer, options_.gamma);
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
    const BranchTail& tail = original.tail(branch.step);
    const float sign = branch.activated ? 1.0f : -1.0f;
    episode.gains[branch.step] = {
        .task_return = sign * static_cast<float>(tail.task_return - branch.copy.task_return),
        .calls = sign * static_cast<float>(tail.calls - branch.copy.calls)};
  }
  return episode;
}

std::optional<BranchTail> Brancher::PlayOut(Playout& copy, bool activate) {
  copies_.switcher.Force(activate);
  UnlessTheyAgree observer(copies_.observer, options_.gamma);
  while (!copy.done()) {
    if (!observer.BeforeDecision() || !copy.Step(observer)) return std::nullopt;
  }
  return observer.tail();
}

}  // namespace londi::actors
