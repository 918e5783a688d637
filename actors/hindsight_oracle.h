#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "actors/episode.h"
#include "core/clock.h"
#include "core/environment.h"
#include "core/language_model.h"
#include "core/switcher.h"

// The best that any Switcher could have made of one episode, known afterwards: the maximum of
// return minus c times calls over all ways to call DEEPTHINK, within the budget. It sees the future
// (it tries what comes of a call before it makes it), so no Switcher can be asked to reach it; it
// bounds them from above (algorithms.md 3.1, baseline 12).
namespace londi::actors {

struct HindsightOptions {
  // States per episode in which the LMs are asked, >= 1. Those of QUICK's own way to the end are
  // always among them.
  std::int64_t max_nodes = 2000;
  void Validate() const;  // Throws core::ConfigError.
};

// When to call DEEPTHINK in one episode.
struct HindsightPlan {
  std::vector<bool> calls;  // [steps of the episode]
  double value = 0;         // Return minus c times calls.
  double bound = 0;         // No policy gets more; `value` where that is proven to be the best.
  bool proven = false;      // Nothing better exists. False: max_nodes came first.
  std::int64_t nodes = 0;   // States in which the LMs were asked.
};

struct HindsightParts {                  // All outlive the search.
  const core::Environment& environment;  // Reset to the episode's beginning; only copied.
  core::Observation first;               // What Reset saw.
  core::LanguageModel& quick;            // Both are functions of what they are asked.
  core::LanguageModel& deepthink;
  const core::Clock& clock;
  core::Duration lm_timeout;
  const std::atomic<bool>& stopping;
};

// Searches best first: the state with the largest bound, which is what was earned, plus
// core::Environment::MaxRewardAhead, minus the cost of the calls so far, is taken next. Where both
// LMs propose the same action nothing branches, and where several plans are worth the same, one
// with the fewest calls is the best. No two states are equal: the LMs read all of what was done.
// nullopt: stopped. Throws core::ConfigError where the environment cannot be copied, and what
// AskLm does.
// Throws core::ConfigError for a budget that does not count calls.
std::optional<HindsightPlan> FindHindsightPlan(const EpisodeTerms& terms,
                                               std::uint64_t session,
                                               const HindsightOptions& options,
                                               const HindsightParts& parts);

// Throws core::ConfigError where the oracle cannot search `environment`, which is reset for it.
void RequireClones(core::Environment& environment);

// Calls DEEPTHINK in the steps of `calls`, and in none behind them.
std::unique_ptr<core::Switcher> MakePlannedSwitcher(std::vector<bool> calls);

}  // namespace londi::actors
