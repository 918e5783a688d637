#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/switcher_features.h"
#include "core/budget.h"
#include "core/budget_meter.h"
#include "core/clock.h"
#include "core/decision.h"
#include "core/environment.h"
#include "core/language_model.h"
#include "core/switcher.h"

namespace londi::actors {

// What an episode may cost.
struct EpisodeTerms {
  float cost = 0;                                          // c, task reward per activation.
  std::int32_t budget = core::BudgetGovernor::kUnlimited;  // B, ticks of the meter.
  core::BudgetMeter meter;                                 // What the budget counts: calls.
};

// Where the time of decisions went; sums.
struct DecisionTimes {
  core::Duration quick{0};      // Waiting for QUICK's proposals.
  core::Duration switcher{0};   // Features and the Switcher.
  core::Duration deepthink{0};  // Waiting for DEEPTHINK's proposals.

  DecisionTimes operator-(const DecisionTimes& earlier) const {
    return {quick - earlier.quick, switcher - earlier.switcher, deepthink - earlier.deepthink};
  }
};

// The state an action is chosen in.
struct Moment {
  const std::string& prompt;                // Transcript so far, ends with "Action:".
  const std::vector<std::string>& actions;  // Admissible now, at least one.
  const core::Observation& observation;
  double reward = 0;            // Of the step that led here.
  std::int32_t steps_left = 1;  // Until truncation, this step included.
};

// The idea of the project: QUICK proposes, the Switcher decides whether DEEPTHINK is worth its
// price, the budget has the last word. One object per thread.
class DecisionMaker {
 public:
  // Both LMs, the Switcher and the clock outlive this object. `lm_timeout`: each request must be
  // answered within it.
  DecisionMaker(core::LanguageModel& quick,
                core::LanguageModel& deepthink,
                core::Switcher& switcher,
                const core::Clock& clock,
                core::Duration lm_timeout);

  // `session`: names the episode to the LMs' prefix caches, never 0.
  void StartEpisode(EpisodeTerms terms, int max_steps, std::uint64_t session);

  // Goes on where `other`, which has the same LMs, is now in its episode; the Switcher's memory
  // begins anew.
  void ContinueFrom(const DecisionMaker& other, std::uint64_t session);

  // Blocks until the LMs have answered. Throws core::UnavailableError when one did not in time,
  // core::Error when one refused the request, core::ProtocolError for an answer that does not fit.
  core::Decision Decide(const Moment& now);

  const core::BudgetGovernor& budget() const { return budget_; }
  const DecisionTimes& times() const { return times_; }  // Since construction.
  core::Switcher& switcher() { return switcher_; }

 private:
  core::Proposal Ask(core::LanguageModel& lm, core::LmRequest& request, core::Duration& waited);
  core::SwitchChoice Choose(const core::Decision& decision, const Moment& now);
  std::optional<core::Proposal> AskWithinBudget(const core::LmRequest& request);

  core::LanguageModel& quick_;
  core::LanguageModel& deepthink_;
  core::Switcher& switcher_;
  const core::Clock& clock_;
  const core::Duration lm_timeout_;

  EpisodeTerms terms_;
  std::uint64_t session_ = 0;
  core::BudgetGovernor budget_{0};
  SwitcherFeatures features_;
  DecisionTimes times_;
};

}  // namespace londi::actors
