#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/switcher.h"
#include "learner/algorithms/algorithm.h"
#include "learner/batch.h"

namespace londi::testing {

inline constexpr int kNumFeatures = 2;  // Of the batches below.

// Two looks at one state: with a call (reward `called`), without (reward 0.5). Both end there.
inline learner::Batch MakeChoice(float called, std::int32_t remaining = -1, float feature = 0.5f) {
  learner::Batch batch;
  batch.num_states = 2;
  batch.width = kNumFeatures + core::kNumContextInputs;
  std::ranges::fill(batch.inputs.Resize(2 * static_cast<std::size_t>(batch.width)), feature);
  batch.contexts = {{0.1f, remaining}, {0.1f, remaining}};
  batch.disagreements = {learner::Batch::Disagreement::kUnknown,
                         learner::Batch::Disagreement::kDisagreed};
  batch.behaviour_probs = {0.5f, 0.5f};
  batch.references = {0, 0};
  batch.entries = {{.state = 0, .num_horizons = 1},
                   {.state = 1, .activate = true, .first_horizon = 1, .num_horizons = 1}};
  batch.horizons = {{.reward = 0.5f, .discount = 0.9f, .terminal = true},
                    {.reward = called, .calls = 1, .discount = 0.9f, .terminal = true}};
  batch.horizon_successor = {-1, -1};
  batch.horizon_activated = {0, 0};
  batch.horizon_behaviour_prob = {1, 1};
  return batch;
}

inline core::NamedArray& FindArray(learner::AlgorithmState& state, const std::string& name) {
  return *std::ranges::find(state.arrays, name, &core::NamedArray::name);
}

}  // namespace londi::testing
