#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "actors/episode.h"
#include "actors/random.h"
#include "core/switcher.h"
#include "core/transition.h"

namespace londi::actors {

// Counterfactuals in environments that can be copied (algorithms.md 2.4.2). A branched episode is
// acted out greedily. Before some of its decisions it is copied; where the LMs disagree, the copy
// makes the other choice and goes on greedily to its own end. LMs that are greedy and environments
// that are copied are functions, so the difference between the two ends is what that one choice was
// worth under this policy, free of the noise that separates two episodes.
struct BranchingOptions {
  double share = 0;       // Of the training episodes, 0..1.
  double rate = 0.5;      // Share of a branched episode's decisions that are copied, 0..1.
  double gamma = 1;       // The learner's discount per step: gains are in its terms; (0, 1].
  void Validate() const;  // Throws core::ConfigError.
};

// A Switcher whose next choice can be forced, once.
class ForcedSwitcher final : public core::Switcher {
 public:
  explicit ForcedSwitcher(std::unique_ptr<core::Switcher> free) : free_(std::move(free)) {}
  void Force(bool activate) { forced_ = activate; }

  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override { free_->StartEpisode(); }

 private:
  const std::unique_ptr<core::Switcher> free_;
  std::optional<bool> forced_;
};

// What was done from some step on, discounted to it.
struct BranchTail {
  double task_return = 0;
  double calls = 0;
  double discount = 1;  // Of the next step.

  void Add(const StepRecord& record, double gamma);
};

struct BranchedEpisode {
  EpisodeResult result;                                  // Without the copies.
  std::map<std::int32_t, core::Transition::Gain> gains;  // By step; the copies that came to an end.
};

// Acts out episodes with copies. Makers and observers outlive it.
class Brancher {
 public:
  // What a copy needs.
  struct Copies {
    DecisionMaker& decision_maker;  // Its Switcher is `switcher`; same LMs as the episode's.
    ForcedSwitcher& switcher;
    EpisodeObserver& observer;
    // Names a copy's episode; `original`'s terms are replaced by what is left of them.
    std::function<EpisodeSetup(const EpisodeSetup& original)> name;
  };
  Brancher(const BranchingOptions& options, Copies copies, std::uint64_t seed);

  // `decision_maker` acts greedily. A copy that its observer leaves gives no gain; neither does one
  // whose LMs agree after all, which its observer does not get to see. Throws what the LMs throw.
  BranchedEpisode Run(core::Environment& environment,
                      DecisionMaker& decision_maker,
                      const EpisodeSetup& setup,
                      const core::Clock& clock,
                      EpisodeObserver& observer);

 private:
  std::optional<BranchTail> PlayOut(Playout& copy, bool activate);

  const BranchingOptions options_;
  const Copies copies_;
  Random random_;
};

}  // namespace londi::actors
