#pragma once

#include <cstdint>
#include <memory>

#include "actors/random.h"
#include "core/switcher.h"

namespace londi::actors {

struct ExplorationOptions {
  double epsilon_base = 0.4;       // Epsilon of the boldest episode slot, (0, 1].
  double epsilon_power = 7;        // The most careful slot has base^(1 + power), >= 0.
  double always_quick = 0.05;      // Shares of episodes that never activate, 0..1,
  double always_deepthink = 0.05;  // that always do,
  double random_rate = 0.10;       // that activate at a constant rate drawn from U(0, 1),
  double takeover = 0.10;          // that are greedy for a while and then activate to the end,
  double disagreement = 0;         // that activate where the LMs probably disagree.
  double labels = 0;               // Share of the other decisions that want a label, 0..1.
  void Validate() const;           // Throws core::ConfigError.
};

// Epsilon of slot `slot` of `num_slots`: base^(1 + power slot / (num_slots - 1)), so that some
// episodes explore a lot and some hardly at all. A single slot gets the middle one. Source: Horgan
// et al. 2018 (Ape-X, arXiv 1803.00933).
double SlotEpsilon(const ExplorationOptions& options, int slot, int num_slots);

// Probability with which epsilon-greedy picks `activate` where the greedy choice is `greedy`.
double EpsilonGreedyProb(double epsilon, bool greedy, bool activate);

// n >= 1 with P(n) proportional to 1/n^2 (zeta distribution with exponent 2). Source: Devroye 1986,
// X.6.1.
int DrawZeta2(Random& random);

// Makes a greedy Switcher explore during training. Each episode is one of
//   always QUICK, always DEEPTHINK, a constant random rate   (the boundary episodes)
//   takeover: greedy up to step floor(u^2 steps), u ~ U(0, 1), then DEEPTHINK to the end. A task
//     that QUICK has spoiled needs dozens of calls in a row; where they are never seen, the first
//     of them looks worthless
//   activation wherever the predicted disagreement exceeds a threshold drawn from U(0, 1). Near
//     these few calls the best policies lie, which a random rate hardly ever comes by
//   persistent epsilon-greedy: with probability epsilon, g is a fair coin that is then held for
//   n ~ zeta(2) decisions (Dabney et al. 2021, ez-greedy, arXiv 2006.01782); or, where the policy
//   is stochastic, a draw from it at every decision instead
// Of the decisions that do not activate, in episodes without a budget, the share `labels` also asks
// what DEEPTHINK would have done: the rows then say where the LMs agree. Under a budget never,
// because a budget is all that DEEPTHINK is asked.
// behaviour_prob is exact: the first decision of a hold has epsilon-greedy's probability, the held
// ones 1, as all of a takeover's and of a threshold's.
class ExploringSwitcher final : public core::Switcher {
 public:
  ExploringSwitcher(std::unique_ptr<core::Switcher> greedy,
                    const ExplorationOptions& options,
                    double epsilon,
                    std::uint64_t seed);

  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
  void Load(std::shared_ptr<const core::WeightsSnapshot> weights) override;
  void StartEpisode() override;

 private:
  core::SwitchChoice Explore(const core::SwitcherInput& input);

  enum class Mode { kEpsilonGreedy, kRandomRate, kTakeover, kDisagreement };

  core::SwitchChoice Draw(core::SwitchChoice choice, double rate);  // g = 1 at that rate.

  const std::unique_ptr<core::Switcher> greedy_;
  const ExplorationOptions options_;
  const double epsilon_;
  Random random_;

  // Of the episode.
  Mode mode_ = Mode::kEpsilonGreedy;
  double rate_ = 0;         // kRandomRate; 0 and 1 are always QUICK and always DEEPTHINK.
  double takeover_at_ = 0;  // kTakeover: share of the episode's steps.
  double threshold_ = 0;    // kDisagreement
  int num_steps_ = 0;       // Of the episode, at most; known at its first decision.
  int held_left_ = 0;       // Decisions that still repeat held_.
  bool held_ = false;
};

}  // namespace londi::actors
