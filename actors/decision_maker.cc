#include "actors/decision_maker.h"

#include <cmath>
#include <utility>

#include "actors/ask_lm.h"
#include "core/error.h"

namespace londi::actors {
namespace {

// Runs `work` and adds its time to `sum`.
template <class Work>
auto Timed(const core::Clock& clock, core::Duration& sum, Work work) {
  const core::TimePoint start = clock.Now();
  auto result = work();
  sum += clock.Now() - start;
  return result;
}

}  // namespace

DecisionMaker::DecisionMaker(core::LanguageModel& quick,
                             core::LanguageModel& deepthink,
                             core::Switcher& switcher,
                             const core::Clock& clock,
                             core::Duration lm_timeout)
    : quick_(quick),
      deepthink_(deepthink),
      switcher_(switcher),
      clock_(clock),
      lm_timeout_(lm_timeout) {}

void DecisionMaker::StartEpisode(EpisodeTerms terms, int max_steps, std::uint64_t session) {
  terms_ = terms;
  session_ = session;
  budget_ =
      core::BudgetGovernor(terms.budget, terms.meter.most_per_call(), terms.meter.least_per_call());
  features_.StartEpisode(max_steps);
  switcher_.StartEpisode();
}

void DecisionMaker::ContinueFrom(const DecisionMaker& other, std::uint64_t session) {
  terms_ = other.terms_;
  session_ = session;
  budget_ = other.budget_;
  features_ = other.features_;
  switcher_.StartEpisode();
}

core::Decision DecisionMaker::Decide(const Moment& now) {
  core::LmRequest request = MakeLmRequest(now.prompt, now.actions, session_);
  core::Decision decision;

  // 1. QUICK proposes.
  decision.quick = Ask(quick_, request, times_.quick);

  // 2. The Switcher chooses, knowing what QUICK proposed.
  decision.may_activate = budget_.CanReserve();
  decision.choice = Timed(clock_, times_.switcher, [&] {
    features_.Observe(now.observation, now.reward);
    decision.features = features_.Make(decision.quick, now.actions);
    return Choose(decision, now);
  });

  // 3. DEEPTHINK proposes if it was chosen and the budget admits it.
  if (decision.choice.activate) {
    decision.deepthink = AskWithinBudget(request);
    if (!decision.deepthink) {  // What is not allowed was not chosen.
      decision.refused = decision.may_activate;
      decision.may_activate = false;
      decision.choice.activate = false;
      decision.choice.behaviour_prob = 1;
    }
  } else if (decision.choice.wants_label) {
    decision.label = Ask(deepthink_, request, times_.deepthink);
  }

  features_.Record(decision, now.actions[static_cast<std::size_t>(decision.action())]);
  return decision;
}

// nullopt: there is not enough left; that has cost nothing. What else goes wrong leaves the
// reservation spent: nobody knows what the LM has done by then.
std::optional<core::Proposal> DecisionMaker::AskWithinBudget(const core::LmRequest& request) {
  const std::optional<std::int32_t> reserved = budget_.Reserve();
  if (!reserved) return std::nullopt;
  core::LmRequest limited = request;
  if (terms_.budget >= 0) terms_.meter.Limit(*reserved, limited);
  try {
    core::Proposal proposal = Ask(deepthink_, limited, times_.deepthink);
    budget_.Settle(terms_.meter.Price(proposal.usage));
    return proposal;
  } catch (const core::OverBudgetError&) {
    budget_.Settle(0);
    return std::nullopt;
  }
}

// Masked by the budget: what is not allowed is not chosen, with certainty.
core::SwitchChoice DecisionMaker::Choose(const core::Decision& decision, const Moment& now) {
  core::SwitchChoice choice = switcher_.Choose(
      {.features = decision.features,
       .cost = terms_.cost,
       .remaining = core::CallsWorth(budget_.remaining(), terms_.meter.ticks_per_call()),
       .steps_left = now.steps_left});
  if (!decision.may_activate) {
    choice.activate = false;
    choice.behaviour_prob = 1;
  }
  return choice;
}

core::Proposal DecisionMaker::Ask(core::LanguageModel& lm,
                                  core::LmRequest& request,
                                  core::Duration& waited) {
  return Timed(clock_, waited, [&] {
    request.deadline = clock_.Now() + lm_timeout_;
    return AskLm(lm, request);
  });
}

}  // namespace londi::actors
