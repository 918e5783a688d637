#pragma once

#include "actors/switching/rules.h"

namespace londi::actors {

// SwiftSage's rules, QUICK as Swift and DEEPTHINK as Sage, in its order:
//   DEEPTHINK  after kPatience steps without progress. The paper counts steps without reward; the
//              features also take a new observation for progress, for tasks that only pay at the
//              end
//   DEEPTHINK  where QUICK proposes again what it has tried kFailures times in this very
//              observation: the paper's failed actions, and its loops
//   QUICK      after two DEEPTHINK calls in a row, whatever the others say
//   QUICK      else
// Left out for want of an input: invalid actions (all are admissible here), observations that
// announce an exception, ScienceWorld's "focus on", and Sage's buffer of several actions.
// Source: Lin et al. 2023 (SwiftSage, arXiv 2305.17390), section 3.3, and its code,
// eval_agent_fast_slow.py.
class SwiftSageSwitcher final : public Rule {
 public:
  static constexpr float kPatience = 5;  // Steps.
  static constexpr float kFailures = 2;

  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
};

}  // namespace londi::actors
