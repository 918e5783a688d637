#pragma once

#include <span>

#include "actors/switching/rules.h"

// Rules that activate where QUICK is unsure of its own proposal, as ReDAct's do (arXiv 2604.07036;
// algorithms.md 2.10 and 3.1, item 5). Its action perplexity is left out: the number of an action's
// tokens, by which that divides, is not among the features. The measures read the features of
// actors/switcher_features.h; all are >= 0, larger = less sure.
namespace londi::actors {

// Over the admissible actions, nats.
double Entropy(std::span<const float> features);

// 1 - (best minus second best probability), 0..1.
double LackOfMargin(std::span<const float> features);

// -ln of the proposed action's sequence probability, nats, 0..16.
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
