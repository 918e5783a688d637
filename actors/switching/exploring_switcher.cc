#include "actors/switching/exploring_switcher.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace londi::actors {

void ExplorationOptions::Validate() const {
  core::RequireConfig(epsilon_base > 0 && epsilon_base <= 1,
                      "actor.exploration.epsilon_base is " + std::to_string(epsilon_base),
                      "it is a probability, and 0 would end all exploration",
                      "set it above 0, to 1 at most");
  core::RequireConfig(epsilon_power >= 0,
                      "actor.exploration.epsilon_power is " + std::to_string(epsilon_power),
                      "epsilon would exceed its base",
                      "set it to 0 or more");
  const std::string names =
      "always_quick, always_deepthink, random_rate, takeover and disagreement are shares";
  core::RequireConfig(labels >= 0 && labels <= 1,
                      "actor.exploration.labels is " + std::to_string(labels),
                      "it is a share of the decisions",
                      "set it between 0 and 1");
  double sum = 0;
  for (const double share : {always_quick, always_deepthink, random_rate, takeover, disagreement}) {
    core::RequireConfig(share >= 0 && share <= 1,
                        "a share in actor.exploration is " + std::to_string(share),
                        names + " of episodes",
                        "set each between 0 and 1");
    sum += share;
  }
  core::RequireConfig(sum <= 1 + 1e-9,  // Decimal fractions may add up to a bit more than 1.
                      "the shares in actor.exploration add up to " + std::to_string(sum),
                      names + " of the same episodes",
                      "lower some until they add up to 1 at most");
}

double SlotEpsilon(const ExplorationOptions& options, int slot, int num_slots) {
  const double place = num_slots > 1 ? static_cast<double>(slot) / (num_slots - 1) : 0.5;
  return std::pow(options.epsilon_base, 1 + options.epsilon_power * place);
}

double EpsilonGreedyProb(double epsilon, bool greedy, bool activate) {
  return epsilon / 2 + (greedy == activate ? 1 - epsilon : 0);
}

int DrawZeta2(Random& random) {
  while (true) {  // Rejection; accepts more than half of the draws.
    const double x = std::floor(1 / (1 - random.Uniform()));
    if (2 * random.Uniform() <= 1 + 1 / x) return static_cast<int>(std::min(x, 1e6));
  }
}

ExploringSwitcher::ExploringSwitcher(std::unique_ptr<core::Switcher> greedy,
                                     const ExplorationOptions& options,
                                     double epsilon,
                                     std::uint64_t seed)
    : greedy_(std::move(greedy)), options_(options), epsilon_(epsilon), random_(seed) {}

void ExploringSwitcher::StartEpisode() {
  greedy_->StartEpisode();
  held_left_ = 0;
  num_steps_ = 0;
  mode_ = Mode::kRandomRate;
  double draw = random_.Uniform();
  if ((draw -= options_.always_quick) < 0) {
    rate_ = 0;
  } else if ((draw -= options_.always_deepthink) < 0) {
    rate_ = 1;
  } else if ((draw -= options_.random_rate) < 0) {
    rate_ = random_.Uniform();
  } else if ((draw -= options_.takeover) < 0) {
    mode_ = Mode::kTakeover;
    const double u = random_.Uniform();
    takeover_at_ = u * u;
  } else if ((draw -= options_.disagreement) < 0) {
    mode_ = Mode::kDisagreement;
    threshold_ = random_.Uniform();
  } else {
    mode_ = Mode::kEpsilonGreedy;
  }
}

core::SwitchChoice ExploringSwitcher::Choose(const core::SwitcherInput& input) {
  core::SwitchChoice choice = Explore(input);
  const bool may_be_asked = input.remaining == core::BudgetGovernor::kUnlimited;
  if (options_.labels > 0 && may_be_asked && !choice.activate)
    choice.wants_label = random_.Uniform() < options_.labels;
  return choice;
}

core::SwitchChoice ExploringSwitcher::Explore(const core::SwitcherInput& input) {
  core::SwitchChoice choice = greedy_->Choose(input);
  if (mode_ == Mode::kRandomRate) return Draw(choice, rate_);
  if (mode_ == Mode::kDisagreement) {
    choice.activate = choice.disagreement > threshold_;  // False for NaN.
    choice.behaviour_prob = 1;
    return choice;
  }
  if (mode_ == Mode::kTakeover) {
    num_steps_ = std::max(num_steps_, input.steps_left);
    const int step = num_steps_ - input.steps_left;
    if (step >= static_cast<int>(takeover_at_ * num_steps_)) choice.activate = true;
    choice.behaviour_prob = 1;
    return choice;
  }
  if (choice.activation_prob) return Draw(choice, *choice.activation_prob);
  if (held_left_ > 0) {
    --held_left_;
    choice.activate = held_;
    choice.behaviour_prob = 1;
    return choice;
  }
  const bool greedy = choice.activate;
  if (random_.Uniform() < epsilon_) {
    held_ = random_.Uniform() < 0.5;
    held_left_ = DrawZeta2(random_) - 1;
    choice.activate = held_;
  }
  choice.behaviour_prob = static_cast<float>(EpsilonGreedyProb(epsilon_, greedy, choice.activate));
  return choice;
}

core::SwitchChoice ExploringSwitcher::Draw(core::SwitchChoice choice, double rate) {
  choice.activate = random_.Uniform() < rate;
  choice.behaviour_prob = static_cast<float>(choice.activate ? rate : 1 - rate);
  return choice;
}

void ExploringSwitcher::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  greedy_->Load(std::move(weights));
}

}  // namespace londi::actors
