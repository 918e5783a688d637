#pragma once

#include <span>

#include "actors/switching/rules.h"

// Rules that activate where QUICK is unsure of its own proposal (algorithms.md 3.1, item 5). The
// measures read the features of actors/switcher_features.h; all are >= 0, larger = less sure.
namespace londi::actors {

// Over the admissible actions, nats. Source: ReDAct (arXiv 2604.07036).
double Entropy(std::span<const float> features);

// 1 - (best minus second best probability), 0..1. Source: Scheffer et al. 2001 (Active Hidden
// Markov Models for Information Extraction), where the margin is named.
double LackOfMargin(std::span<const float> features);

// -ln of the proposed action's sequence probability, nats, 0..16. Its exp is the action's
// perplexity as a whole, so a threshold on either is the same rule. ReDAct (arXiv 2604.07036)
// divides by the action's tokens first; their number is not among the features. Source: sequence
// probability as in Malinin and Gales 2021 (arXiv 2002.07650).
double Surprisal(std::span<const float> features);

// Activates where a measure exceeds a threshold.
class ThresholdSwitcher final : public Rule {
 public:
  using Measure = double (*)(std::span<const float> features);
  ThresholdSwitcher(Measure measure, double threshold) : measure_(measure), threshold_(threshold) {}
  core::SwitchChoice Choose(const core::SwitcherInput& input) override {
    return {.activate = measure_(input.features) > threshold_};
  }

 private:
  Measure measure_;
  double threshold_;
};

}  // namespace londi::actors
