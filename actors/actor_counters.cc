#include "actors/actor_counters.h"

#include <string>

namespace londi::actors {
namespace {

monitor::Counter Make(monitor::Metrics& metrics,
                      const monitor::Labels& labels,
                      const std::string& name,
                      const std::string& help) {
  return metrics.GetCounter("londi_actor_" + name + "_total", help, labels);
}
monitor::Counter MakeTime(monitor::Metrics& metrics,
                          monitor::Labels labels,
                          const std::string& part) {
  labels["part"] = part;
  return metrics.GetCounter(
      "londi_actor_seconds_total", "Where the decisions' time went, summed over threads", labels);
}

monitor::Counter MakeTasks(monitor::Metrics& metrics,
                           monitor::Labels labels,
                           const std::string& difficulty) {
  labels["difficulty"] = difficulty;
  return metrics.GetCounter("londi_actor_boundary_tasks_total",
                            "Tasks played by the boundary policies: easy where QUICK alone "
                            "succeeds, hard where only DEEPTHINK does, lost where neither",
                            labels);
}

}  // namespace

ActorCounters::ActorCounters(monitor::Metrics& metrics, core::ActorId actor)
    : labels{{"actor", std::to_string(actor.value)}},
      decisions(Make(metrics, labels, "decisions", "Decisions taken")),
      boundary_decisions(Make(metrics,
                              labels,
                              "boundary_decisions",
                              "Decisions of boundary policies, which are no rows")),
      episodes(Make(metrics, labels, "episodes", "Episodes finished")),
      successes(Make(metrics, labels, "successes", "Episodes that ended in success")),
      deepthink_calls(Make(metrics, labels, "deepthink_calls", "DEEPTHINK activations")),
      labels_asked(Make(
          metrics, labels, "deepthink_labels", "DEEPTHINK asked without being followed, to learn")),
      changed_actions(Make(
          metrics, labels, "changed_actions", "Activations where DEEPTHINK chose another action")),
      failed_episodes(Make(metrics, labels, "failed_episodes", "Episodes left for want of an LM")),
      refused_calls(Make(
          metrics, labels, "refused_calls", "Calls that cost more than was left of the budget")),
      overrun_calls(Make(
          metrics, labels, "overrun_calls", "Calls that cost more than was reserved for them")),
      budget_violations(
          Make(metrics, labels, "budget_violations", "Episodes that spent more than their budget")),
      easy_tasks(MakeTasks(metrics, labels, "easy")),
      hard_tasks(MakeTasks(metrics, labels, "hard")),
      lost_tasks(MakeTasks(metrics, labels, "lost")),
      env_time(MakeTime(metrics, labels, "env")),
      quick_time(MakeTime(metrics, labels, "quick")),
      switcher_time(MakeTime(metrics, labels, "switcher")),
      deepthink_time(MakeTime(metrics, labels, "deepthink")),
      write_time(MakeTime(metrics, labels, "write")),
      weights_gauge(metrics.GetGauge("londi_actor_weights_version",
                                     "Newest Switcher weights a decision was made with",
                                     labels)) {}

Tally& ActorCounters::TasksOf(Difficulty difficulty) {
  if (difficulty == Difficulty::kEasy) return easy_tasks;
  return difficulty == Difficulty::kHard ? hard_tasks : lost_tasks;
}

void ActorCounters::Publish() {
  for (Tally* tally : {&decisions,
                       &boundary_decisions,
                       &easy_tasks,
                       &hard_tasks,
                       &lost_tasks,
                       &episodes,
                       &successes,
                       &deepthink_calls,
                       &labels_asked,
                       &changed_actions,
                       &failed_episodes,
                       &refused_calls,
                       &overrun_calls,
                       &budget_violations})
    tally->Publish(1);
  for (Tally* time : {&env_time, &quick_time, &switcher_time, &deepthink_time, &write_time})
    time->Publish(kSecondsPerTick);
  weights_gauge.Set(static_cast<double>(weights.load()));
}

}  // namespace londi::actors
