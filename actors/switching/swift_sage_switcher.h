#pragma once

#include "actors/switching/rules.h"

namespace londi::actors {

// SwiftSage's rules, QUICK as Swift and DEEPTHINK as Sage, as far as they have a meaning here:
//   QUICK      after two DEEPTHINK calls in a row, whatever the others say
//   DEEPTHINK  after kPatience steps without progress. SwiftSage counts steps without reward; the
//              features also take a new observation for progress, for tasks that only pay at the
//              end
//   DEEPTHINK  where QUICK proposes again what was tried kFailures times in this very observation:
//              SwiftSage's failed actions and loops
//   QUICK      else
// Left out: invalid actions (all are admissible here), surprising observations, and ScienceWorld's
// "focus on". Source: SwiftSage (arXiv 2305.17390) and its code, eval_agent_fast_slow.py
// (algorithms.md 3.1, item 6).
class SwiftSageSwitcher final : public Rule {
 public:
  static constexpr float kPatience = 5;  // Steps.
  static constexpr float kFailures = 2;

  core::SwitchChoice Choose(const core::SwitcherInput& input) override;
};

}  // namespace londi::actors
