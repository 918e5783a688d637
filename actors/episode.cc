#include "actors/episode.h"

#include <algorithm>

namespace londi::actors {
namespace {

void Add(const core::LmUsage& usage, EpisodeResult::TierUsage& sum) {
  sum.tokens += usage.computed_tokens;
  sum.gflops += usage.flops * 1e-9;
  sum.compute_ms += ComputeShareMs(usage);
}

void Add(const core::Decision& decision, const core::BudgetMeter& meter, EpisodeResult& result) {
  const std::int32_t step = result.steps++;
  Add(decision.quick.usage, result.quick);
  result.refused += decision.refused;
  if (!decision.deepthink) return;
  result.spent += meter.Price(decision.deepthink->usage);
  ++result.calls;
  result.call_steps.push_back(step);
  result.call_disagreements.push_back(decision.choice.disagreement);
  if (decision.action() != decision.quick.action) result.changed_steps.push_back(step);
  Add(decision.deepthink->usage, result.deepthink);
}

}  // namespace

Playout::Playout(core::Environment& environment,
                 DecisionMaker& decision_maker,
                 const EpisodeSetup& setup,
                 const core::Clock& clock)
    : environment_(&environment),
      decision_maker_(&decision_maker),
      clock_(&clock),
      setup_(setup),
      started_(clock.Now()),
      state_{.observation = environment.Reset(setup.seed)},
      transcript_(state_.observation),
      actions_(environment.AdmissibleActions()) {
  decision_maker.StartEpisode(setup.terms, environment.MaxSteps(), setup.session);
  sums_.kind = environment.Kind();
  sums_.env_time = clock.Now() - started_;
}

std::unique_ptr<Playout> Playout::Fork(DecisionMaker& decision_maker,
                                       const EpisodeSetup& setup) const {
  std::unique_ptr<Playout> copy(new Playout);
  copy->started_ = clock_->Now();
  copy->own_environment_ = environment_->Clone();
  if (copy->own_environment_ == nullptr) return nullptr;
  decision_maker.ContinueFrom(*decision_maker_, setup.session);
  copy->environment_ = copy->own_environment_.get();
  copy->decision_maker_ = &decision_maker;
  copy->clock_ = clock_;
  copy->setup_ = setup;
  copy->state_ = state_;
  copy->transcript_ = transcript_;
  copy->actions_ = actions_;
  copy->step_ = step_;
  copy->sums_.kind = sums_.kind;
  return copy;
}

bool Playout::Step(EpisodeObserver& observer) {
  const std::int32_t steps_left = std::max(environment_->MaxSteps() - step_, 1);
  const std::int32_t before = remaining();
  const DecisionTimes times_before = decision_maker_->times();
  const core::Decision decision = decision_maker_->Decide({.prompt = transcript_.prompt(),
                                                           .actions = actions_,
                                                           .observation = state_.observation,
                                                           .reward = state_.reward,
                                                           .steps_left = steps_left});

  const core::TimePoint acted_at = clock_->Now();
  const std::string action = actions_[static_cast<std::size_t>(decision.action())];
  state_ = environment_->Step(action);
  if (!state_.done()) {
    transcript_.Append(action, state_.observation);
    actions_ = environment_->AdmissibleActions();
  }
  const core::Duration env_time = clock_->Now() - acted_at;

  const StepRecord record{.episode = setup_,
                          .decision = decision,
                          .step = step_++,
                          .steps_left = steps_left,
                          .remaining = before,
                          .reward = static_cast<float>(state_.reward),
                          .terminated = state_.terminated,
                          .truncated = state_.truncated,
                          .env_time = env_time,
                          .times = decision_maker_->times() - times_before};
  sums_.env_time += env_time;
  Add(decision, setup_.terms.meter, sums_);
  sums_.total_reward += state_.reward;
  return observer.AfterStep(record);
}

EpisodeResult Playout::result() const {
  EpisodeResult result = sums_;
  result.finished = state_.done();
  result.success = state_.terminated && state_.reward > 0;
  result.total_time = clock_->Now() - started_;
  return result;
}

EpisodeResult RunEpisode(core::Environment& environment,
                         DecisionMaker& decision_maker,
                         const EpisodeSetup& setup,
                         const core::Clock& clock,
                         EpisodeObserver& observer) {
  Playout playout(environment, decision_maker, setup, clock);
  while (!playout.done() && observer.BeforeDecision() && playout.Step(observer)) {
  }
  return playout.result();
}

}  // namespace londi::actors
