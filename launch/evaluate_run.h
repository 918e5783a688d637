#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/evaluation.h"
#include "configs/run_config.h"
#include "core/language_model.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "launch/terminal.h"

namespace londi::launch {

struct EvaluateParts {  // All outlive the call.
  const configs::RunConfig& config;
  core::LanguageModel& quick;
  core::LanguageModel& deepthink;
  std::shared_ptr<const core::WeightsSnapshot> weights;  // Of the trained Switcher.
  actors::EnvironmentFactory make_environment;
  Signals& signals;  // A stop request ends the evaluation early, with what it has.
  const core::Clock& clock;
  Terminal& terminal;
  // Throws what ended an LM, if anything did; called now and then. May be empty.
  std::function<void()> check_lms;
};

// The table at the end of a run, all policies on the same unseen episodes:
//   always QUICK, always DEEPTHINK,
//   the plan's baselines with as many calls per step as the Switcher makes at the first cost
//   (measured, and thresholds found, on calibration episodes), and if the plan wants it under every
//   budget with as many per episode as the Switcher makes under it,
//   the Switcher at every cost of the plan, and at the first cost under every budget,
//   the Switcher at the trained cost at which it makes as many calls per episode as the plan wants
//   on average (found on calibration episodes),
//   and if the plan wants it the best in hindsight at the same costs and budgets.
// Answers are remembered between policies, which ask the same questions.
std::vector<actors::CellResult> EvaluatePlan(const configs::EvaluationPlan& plan,
                                             const EvaluateParts& parts);

// One policy.
std::vector<actors::CellResult> EvaluateCells(const std::vector<actors::EvaluationCell>& cells,
                                              const actors::EvaluationOptions& options,
                                              const EvaluateParts& parts);

// Index of the always-DEEPTHINK cell, which the others are compared with; 0 without one.
std::size_t ReferenceCell(const std::vector<actors::CellResult>& results);

}  // namespace londi::launch
