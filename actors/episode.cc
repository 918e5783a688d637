#include "actors/episode.h"

#include <algorithm>

#include "core/prompt.h"

namespace londi::actors {
namespace {

void Add(const core::LmUsage& usage, EpisodeResult::TierUsage& sum) {
  sum.tokens += usage.computed_tokens;
  sum.gflops += usage.flops * 1e-9;
  sum.compute_ms += ComputeShareMs(usage);
}

void Add(const core::Decision& decision, EpisodeResult& result) {
  ++result.steps;
  Add(decision.quick.usage, result.quick);
  if (!decision.deepthink) return;
  ++result.calls;
  result.changed += decision.deepthink->action != decision.quick.action;
  Add(decision.deepthink->usage, result.deepthink);
}

}  // namespace

double ComputeShareMs(const core::LmUsage& usage) {
  return usage.compute_ms / std::max(usage.batch_size, 1);
}

EpisodeResult RunEpisode(core::Environment& environment,
                         DecisionMaker& decision_maker,
                         const EpisodeSetup& setup,
                         const core::Clock& clock,
                         EpisodeObserver& observer) {
  const core::TimePoint start = clock.Now();
  core::StepResult state{.observation = environment.Reset(setup.seed)};
  core::Transcript transcript(state.observation);
  std::vector<std::string> actions = environment.AdmissibleActions();
  const int max_steps = environment.MaxSteps();
  decision_maker.StartEpisode(setup.terms, max_steps, setup.session);

  EpisodeResult result{.kind = environment.Kind()};
  result.env_time = clock.Now() - start;
  while (!state.done() && observer.BeforeDecision()) {
    const std::int32_t steps_left = std::max(max_steps - result.steps, 1);
    const std::int32_t remaining = decision_maker.budget().remaining();
    const core::Decision decision = decision_maker.Decide({.prompt = transcript.prompt(),
                                                           .actions = actions,
                                                           .observation = state.observation,
                                                           .reward = state.reward,
                                                           .steps_left = steps_left});

    const core::TimePoint acted_at = clock.Now();
    const std::string action = actions[static_cast<std::size_t>(decision.action())];
    state = environment.Step(action);
    if (!state.done()) {
      transcript.Append(action, state.observation);
      actions = environment.AdmissibleActions();
    }
    const core::Duration env_time = clock.Now() - acted_at;

    const StepRecord record{.episode = setup,
                            .decision = decision,
                            .step = result.steps,
                            .steps_left = steps_left,
                            .remaining = remaining,
                            .reward = static_cast<float>(state.reward),
                            .terminated = state.terminated,
                            .truncated = state.truncated,
                            .env_time = env_time};
    result.env_time += env_time;
    Add(decision, result);
    result.total_reward += state.reward;
    if (!observer.AfterStep(record)) break;
  }
  result.finished = state.done();
  result.success = state.terminated && state.reward > 0;
  result.total_time = clock.Now() - start;
  return result;
}

}  // namespace londi::actors
