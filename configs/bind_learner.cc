#include "configs/bind.h"
#include "core/switcher_network.h"

namespace londi::configs {
namespace {

// `section`: "learner.sac"; `whose`: a person's name for these networks.
void BindNetwork(const std::string& section,
                 const std::string& whose,
                 learner::NetworkOptions& network,
                 OptionTable& table) {
  table.Add(section + ".width",
            network.width,
            {.meaning = "Units per layer of " + whose, .min = 8, .max = 4096});
  table.Add(
      section + ".layers", network.layers, {.meaning = "Layers of " + whose, .min = 1, .max = 8});
  table.Add(section + ".learning_rate",
            network.adam.learning_rate,
            {.meaning = "Step size of Adam at the start of the run", .min = 1e-8, .max = 1});
  table.Add(section + ".final_learning_rate",
            network.adam.final_learning_rate,
            {.meaning = "Step size at its end; it falls there linearly, whichever of "
                        "run.duration, run.max_decisions and learner.max_updates comes first",
             .min = 1e-8,
             .max = 1});
  table.Add(section + ".adam_epsilon",
            network.adam.epsilon,
            {.meaning = "Adam's epsilon", .min = 1e-12, .max = 1});
  table.Add(section + ".max_gradient_norm",
            network.adam.max_gradient_norm,
            {.meaning = "Longer gradients are shortened to this", .min = 1e-6});
}

void BindDqn(learner::DqnOptions& dqn, OptionTable& table) {
  BindNetwork("learner.dqn", "the Switcher's network", dqn.network, table);
  table.Add("learner.dqn.weight_decay",
            dqn.network.adam.weight_decay,
            {.meaning = "Decoupled weight decay (AdamW)", .min = 0, .max = 1});
  table.Add(
      "learner.dqn.disagreement_width",
      dqn.disagreement_width,
      {.meaning = "Units per layer of the part that learns where the LMs disagree; 0 = without",
       .min = 0,
       .max = 4096});
  table.Add(
      "learner.dqn.branching",
      dqn.branching,
      {.meaning = "What a call is worth where the LMs disagree is learned from branched rows, "
                  "and from nothing else (actor.branching, learner.branched_rows)"});
  table.Add("learner.dqn.retrace_lambda",
            dqn.retrace_lambda,
            {.meaning = "Targets go on along an n-step window as far as the policy could have done "
                        "the same as was done, less by this per step (Retrace); 0 = they end where "
                        "it was not greedy",
             .min = 0,
             .max = 1});
  table.Add(
      "learner.dqn.retrace_temperature",
      dqn.retrace_temperature,
      {.meaning = "... that policy does the better of both choices with odds of e^(advantage / "
                  "temperature); 0 = always",
       .unit = "reward",
       .min = 0,
       .max = 100});
  table.Add("learner.dqn.target_rate",
            dqn.target_rate,
            {.meaning = "How fast the target network follows", .min = 1e-6, .max = 1});
  table.Add("learner.dqn.calls_loss_weight",
            dqn.calls_loss_weight,
            {.meaning = "Weight of the loss of the calls critic beside the return critic's",
             .min = 1e-6,
             .max = 1e6});
  table.Add("learner.dqn.scalarized_loss_weight",
            dqn.scalarized_loss_weight,
            {.meaning = "... and of the loss of what decides, return - cost * calls; 0 = without",
             .min = 0,
             .max = 1e6});
  table.Add(
      "learner.dqn.action_gap",
      dqn.action_gap,
      {.meaning = "Advantage learning: what the two choices differ in value grows 1 / (1 - this) "
                  "times; 0 = without",
       .min = 0,
       .max = 0.99});
  table.Add("learner.dqn.conservative",
            dqn.conservative,
            {.meaning = "How strongly what the rows did not do is pulled down (CQL, for "
                        "run.rows_from); 0 = not at all",
             .min = 0,
             .max = 1e6});
  table.Add(
      "learner.dqn.memory.width",
      dqn.memory.width,
      {.meaning = "Units of a memory that reads the episode's former rows, for tasks in which "
                  "what matters was seen before; 0 = without",
       .min = 0,
       .max = 1024});
  table.Add("learner.dqn.memory.window",
            dqn.memory.window,
            {.meaning = "... so far back at least, and at most twice as far",
             .unit = "rows",
             .min = 1,
             .max = core::switcher_network::kMaxMemoryWindow});
}

void BindSac(learner::SacOptions& sac, OptionTable& table) {
  BindNetwork("learner.sac", "the policy and of each critic", sac.network, table);
  table.Add("learner.sac.target_rate",
            sac.target_rate,
            {.meaning = "How fast the target critics follow", .min = 1e-6, .max = 1});
  table.Add("learner.sac.temperature",
            sac.temperature,
            {.meaning = "What a nat of the policy's entropy is worth at the start; at most a tenth "
                        "of the cost of a call, with which it competes",
             .unit = "reward",
             .min = 1e-9,
             .max = 100});
  table.Add("learner.sac.target_entropy",
            sac.target_entropy,
            {.meaning = "The temperature sinks while the policy's entropy is above this; 0 = it "
                        "stays as at the start",
             .unit = "nats",
             .min = 0,
             .max = 0.693});
  table.Add("learner.sac.overdraft_penalty",
            sac.overdraft_penalty,
            {.meaning = "What a call costs that the budget denies",
             .unit = "reward",
             .min = 1e-9,
             .max = 1e6});
}

void BindPpo(learner::PpoOptions& ppo, OptionTable& table) {
  BindNetwork("learner.ppo", "the policy and of the critic", ppo.network, table);
  table.Add("learner.ppo.clip",
            ppo.clip,
            {.meaning = "The ratio of new to old probability is followed as far as this from 1",
             .min = 1e-6,
             .max = 0.999});
  table.Add("learner.ppo.gae_lambda",
            ppo.gae_lambda,
            {.meaning = "How much of an advantage is seen in later steps of the window rather than "
                        "believed of the critic",
             .min = 0,
             .max = 1});
  table.Add("learner.ppo.entropy_weight",
            ppo.entropy_weight,
            {.meaning = "Weight of the policy's entropy beside normalized advantages",
             .min = 0,
             .max = 100});
}

void BindRollout(learner::RolloutOptions& rollout, OptionTable& table) {
  table.Add("learner.rollout.rows",
            rollout.rows,
            {.meaning = "On-policy algorithms (ppo) learn once so many new rows are there",
             .unit = "rows",
             .min = 1,
             .max = 1e6});
  table.Add("learner.rollout.epochs",
            rollout.epochs,
            {.meaning = "... from each so often, and then never again", .min = 1, .max = 1000});
  table.Add("learner.rollout.max_staleness",
            rollout.max_staleness,
            {.meaning = "... if it was acted with weights at most so many versions old",
             .unit = "versions",
             .min = 0,
             .max = 1000});
}

void BindBatch(learner::BatchOptions& batch, OptionTable& table) {
  table.Add("learner.batch_size",
            batch.batch_size,
            {.meaning = "Rows per update", .unit = "rows", .min = 1, .max = 65536});
  table.Add("learner.branched_rows",
            batch.branched_rows,
            {.meaning = "Of these, rows that were branched, if there are any",
             .unit = "rows",
             .min = 0,
             .max = 65536});
  table.Add("learner.gamma",
            batch.gamma,
            {.meaning = "Discount per step; what lies 1 / (1 - gamma) steps ahead counts a third",
             .min = 1e-6,
             .max = 1});
  table.Add("learner.follow_greedy_only",
            batch.follow_greedy_only,
            {.meaning = "n-step windows end where the actor did not act greedily"});
  table.Add("learner.agreement_rows",
            batch.agreement_rows,
            {.meaning = "Where both LMs agreed, one row teaches both choices"});
  learner::RelabelOptions& relabel = batch.relabel;
  table.Add("learner.relabel.enabled",
            relabel.enabled,
            {.meaning = "Rows are learned from under other costs and budgets too"});
  table.Add("learner.relabel.keep",
            relabel.keep,
            {.meaning = "Share of rows that keep their own cost and budget", .min = 0, .max = 1});
  table.Add("learner.relabel.zero_cost",
            relabel.zero_cost,
            {.meaning = "Share of the others that get cost 0", .min = 0, .max = 1});
  table.Add("learner.relabel.min_cost",
            relabel.min_cost,
            {.meaning = "Smallest drawn cost", .unit = "reward", .min = 1e-9});
  table.Add("learner.relabel.max_cost",
            relabel.max_cost,
            {.meaning = "Largest drawn cost", .unit = "reward", .min = 1e-9});
  table.Add("learner.relabel.max_budget",
            relabel.max_budget,
            {.meaning = "Largest drawn budget, in calls or what typical calls cost",
             .unit = "calls",
             .min = 0,
             .max = 1e6});
  table.Add("learner.relabel.unlimited",
            relabel.unlimited,
            {.meaning = "Share that gets no budget", .min = 0, .max = 1});
}

void BindReplay(learner::LearnerOptions& learner, OptionTable& table) {
  table.Add("learner.replay.capacity",
            learner.replay.capacity,
            {.meaning = "Newest rows that may be sampled", .unit = "rows", .min = 1000});
  table.Add("learner.replay.alpha",
            learner.replay.alpha,
            {.meaning = "Priority exponent; 0 = uniform", .min = 0, .max = 1});
  table.Add("learner.replay.beta",
            learner.replay.beta,
            {.meaning = "Importance exponent at the start", .min = 0, .max = 1});
  table.Add("learner.replay.beta_updates",
            learner.replay.beta_updates,
            {.meaning = "It grows to 1 over so many updates", .unit = "updates", .min = 1});
  table.Add("learner.rate.samples_per_row",
            learner.rate.samples_per_row,
            {.meaning = "How often a row is sampled on average", .min = 1e-3});
  table.Add("learner.rate.min_rows",
            learner.rate.min_rows,
            {.meaning = "Rows before the first update", .unit = "rows", .min = 1});
  table.Add("learner.rate.slack",
            learner.rate.slack,
            {.meaning = "Sampled rows by which acting and learning may drift apart",
             .unit = "rows",
             .min = 1});
  table.Add("learner.ingest.max_credits",
            learner.ingest.max_credits,
            {.meaning = "Rows an actor may have under way", .unit = "rows", .min = 1});
  table.Add("learner.ingest.poll",
            learner.ingest.poll,
            {.meaning = "Paused actors are looked at again this often", .min = 0.001, .max = 1});
  table.Add("learner.ingest.wait_for_room",
            learner.ingest.wait_for_room,
            {.meaning = "A disk that is full for the log is waited for so long", .min = 0});
}

}  // namespace

void BindLearner(learner::LearnerOptions& learner, OptionTable& table) {
  table.Section("learner", "Trains the Switcher from the transition log");
  table.Add("learner.algorithm",
            learner.algorithm.name,
            {.meaning = "Learning rule", .choices = learner::AlgorithmNames()});
  table.Add("learner.n_step",
            learner.n_step,
            {.meaning = "Steps that a target looks ahead",
             .unit = "steps",
             .min = 1,
             .max = learner::kMaxSteps});
  BindBatch(learner.batch, table);
  BindDqn(learner.algorithm.dqn, table);
  BindSac(learner.algorithm.sac, table);
  BindPpo(learner.algorithm.ppo, table);
  BindRollout(learner.rollout, table);
  BindReplay(learner, table);
  table.Add("learner.device",
            learner.device,
            {.meaning = "Where the network is trained", .choices = {"auto", "cpu", "cuda"}});
  table.Add(
      "learner.max_updates",
      learner.max_updates,
      {.meaning = "The run ends after so many updates; 0 = no limit", .unit = "updates", .min = 0});
  table.Add(
      "learner.publish_every",
      learner.publish_every,
      {.meaning = "Weights go to the actors every so many updates", .unit = "updates", .min = 1});
  table.Add("learner.checkpoint_every",
            learner.checkpoint_every,
            {.meaning = "Time between checkpoints", .min = 1});
  table.Add("learner.checkpoints_kept",
            learner.checkpoints_kept,
            {.meaning = "Newest checkpoints that are kept", .min = 1, .max = 1000});
}

void BindTransitionLog(learner::SegmentLogOptions& log, OptionTable& table) {
  table.Section("transition_log", "The log of transitions, which is also the replay's storage");
  table.Add(
      "transition_log.segment_bytes",
      log.segment_bytes,
      {.meaning = "Size of a segment file", .unit = "bytes", .min = 1 << 20, .max = 4294967296.0});
  table.AddEnum(
      "transition_log.durability",
      log.durability,
      {{"page-cache", learner::Durability::kPageCache}, {"disk", learner::Durability::kDisk}},
      {.meaning = "Rows are acknowledged when they are there: page-cache survives the "
                  "process, disk the machine"});
}

}  // namespace londi::configs
