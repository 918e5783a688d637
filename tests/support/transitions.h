#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/half.h"
#include "core/transition.h"

namespace londi::testing {

struct RowValues {
  std::int64_t actor = 0;
  std::int64_t incarnation = 1;
  std::int64_t sequence = 1;
  std::int64_t episode = 0;
  int step = 0;
  int steps_left = 10;
  bool activated = false;
  float behaviour_prob = 1;
  float reward = 0;
  float cost = 0;
  int remaining = core::BudgetGovernor::kUnlimited;
  int price = 1;
  bool refused = false;  // A call was chosen, and was too dear.
  bool terminated = false;
  bool truncated = false;
  bool agreed = false;
  bool disagreed = false;  // Neither: DEEPTHINK was not asked.
  int num_features = 4;
  std::optional<core::Transition::Gain> gain = std::nullopt;
  float reference = 0;
};

// A transition with defaults; its features are `sequence`, 1, 2, ...
inline core::Transition MakeTransition(RowValues values) {
  core::Transition row;
  row.actor = core::ActorId(values.actor);
  row.incarnation = core::Incarnation(values.incarnation);
  row.sequence = core::Sequence(values.sequence);
  row.episode = core::EpisodeId(values.episode);
  row.step = values.step;
  row.steps_left = values.steps_left;
  std::vector<float> features(static_cast<std::size_t>(values.num_features));
  for (int i = 0; i < values.num_features; ++i) {
    features[static_cast<std::size_t>(i)] = static_cast<float>(i == 0 ? values.sequence : i);
  }
  row.features = core::ToHalf(features);
  row.quick_action = 3;
  if (values.agreed) row.deepthink_action = row.quick_action;
  if (values.disagreed) row.deepthink_action = 2;
  row.activated = values.activated;
  row.behaviour_prob = values.behaviour_prob;
  row.reward = values.reward;
  row.cost = values.cost;
  row.remaining = values.remaining;
  row.price = values.price;
  row.may_activate = values.remaining != 0 && !values.refused;
  row.terminated = values.terminated;
  row.truncated = values.truncated;
  row.gain = values.gain;
  row.reference = values.reference;
  row.weights = core::WeightsVersion(5);
  return row;
}

}  // namespace londi::testing
