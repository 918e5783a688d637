#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/budget.h"
#include "core/ids.h"

namespace londi::core {

// The row the learner trains on. The state's successor is the next row of the same episode; n-step
// returns are made at sampling time.
struct Transition {
  // Identity: (run, actor, incarnation, sequence) is unique; sequences of a stream are 1, 2, 3, ...
  ActorId actor;
  Incarnation incarnation;
  Sequence sequence;

  EpisodeId episode;
  std::int32_t step = 0;        // 0-based within the episode.
  std::int32_t steps_left = 0;  // Until truncation, this step included.

  std::vector<std::uint16_t>
      features;                   // [num_features] fp16: what the Switcher saw, free of c and z.
  std::int16_t quick_action = 0;  // Index into the admissible actions.
  std::int16_t deepthink_action = kUnknownAction;

  bool activated = false;    // g
  float behaviour_prob = 1;  // mu(g), forced repeats included.
  bool may_activate =
      true;  // Legal mask of g = 1 when the decision was taken. False with something
             // left of the budget: a call was chosen and refused as too dear.

  float reward = 0;                                     // Task reward, without the cost.
  float cost = 0;                                       // c of the episode.
  std::int32_t remaining = BudgetGovernor::kUnlimited;  // z before the decision, ticks.
  std::int32_t price = 1;  // What DEEPTHINK's answer takes out of a budget, ticks (budget_meter.h),
                           // whether there was one or not. Only where it was asked; with calls 1.
  bool terminated = false;
  bool truncated = false;

  // Price vector of this decision, both LMs: what it cost besides c.
  std::int32_t tokens = 0;  // Computed tokens.
  float gflops = 0;
  float milliseconds = 0;  // Compute time in the workers.

  // What an activation here was worth, known where a copy of the episode made the other choice and
  // went on by the same policy: activation minus none, to the episode's end.
  struct Gain {
    float task_return = 0;
    float calls = 0;  // This activation counts: 1 where no later one was saved or caused.
    bool operator==(const Gain&) const = default;
  };
  std::optional<Gain> gain;

  // What the better boundary policy earned in the same task: sum_t gamma^t (r_t - c g_t) with the
  // learner's discount, of the whole episode and so the same in all its rows; 0 where no boundaries
  // were played (actors/boundaries.h). `reward` is the task's all the same.
  float reference = 0;

  WeightsVersion weights;
  std::uint64_t quick_model = 0;  // First 64 bits of the LMs' hashes.
  std::uint64_t deepthink_model = 0;

  static constexpr std::int16_t kUnknownAction = -1;
  bool agreed() const {
    return deepthink_action != kUnknownAction && deepthink_action == quick_action;
  }
  bool done() const { return terminated || truncated; }
};

}  // namespace londi::core
