#include "learner/learner_loop.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

#include "core/no_room.h"
#include "inference/device.h"

namespace londi::learner {
namespace {

constexpr std::chrono::milliseconds kLongestWait{50};
constexpr std::chrono::seconds kMetricsEvery{1};

void Require(bool holds, const char* key, std::int64_t value, const char* why, const char* fix) {
  if (holds) return;
  throw core::ConfigError({.what = std::string("learner.") + key + " is " + std::to_string(value),
                           .why = why,
                           .fix = fix});
}

double Seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

struct LearnerLoop::Instruments {
  explicit Instruments(monitor::Metrics& metrics)
      : updates(metrics.GetCounter("londi_learner_updates_total", "Gradient steps")),
        skipped(metrics.GetCounter("londi_learner_skipped_updates_total",
                                   "Updates with a gradient that is not finite")),
        rows(metrics.GetGauge("londi_learner_log_rows", "Rows in the log")),
        replay(metrics.GetGauge("londi_learner_replay_rows", "Rows that can be sampled")),
        version(metrics.GetGauge("londi_learner_weights_version", "Newest published weights")),
        loss_return(
            metrics.GetGauge("londi_learner_loss_return", "Huber loss of the critic of returns")),
        loss_calls(metrics.GetGauge("londi_learner_loss_calls",
                                    "Huber loss of the critic of activations")),
        loss_gains(metrics.GetGauge("londi_learner_loss_gains",
                                    "Huber loss of what branched activations were worth")),
        loss_conservative(
            metrics.GetGauge("londi_learner_loss_conservative", "What CQL adds to the loss")),
        loss_disagreement(metrics.GetGauge("londi_learner_loss_disagreement",
                                           "Cross-entropy of where the LMs disagree, nats")),
        loss_policy(metrics.GetGauge("londi_learner_loss_policy",
                                     "Loss of a stochastic policy: minus its soft values")),
        policy_entropy(metrics.GetGauge("londi_learner_policy_entropy", "Of that policy, nats")),
        gradient_norm(metrics.GetGauge("londi_learner_gradient_norm", "Before clipping")),
        waiting_share(metrics.GetGauge("londi_learner_waiting_share",
                                       "Share of time spent waiting for rows")),
        checkpoint_seconds(metrics.GetGauge("londi_learner_checkpoint_seconds",
                                            "Duration of the last checkpoint")),
        checkpoints_failed(metrics.GetCounter("londi_learner_checkpoints_failed_total",
                                              "Checkpoints that the disk had no room for")) {}

  monitor::Counter updates, skipped;
  monitor::Gauge rows, replay, version, loss_return, loss_calls, loss_gains, loss_conservative,
      loss_disagreement, loss_policy, policy_entropy, gradient_norm, waiting_share,
      checkpoint_seconds;
  monitor::Counter checkpoints_failed;
};

void LearnerOptions::Validate() const {
  algorithm.Validate();
  batch.Validate();
  replay.Validate();
  rollout.Validate();
  rate.Validate(batch.batch_size);
  ingest.Validate();
  Require(n_step >= 1 && n_step <= kMaxSteps,
          "n_step",
          n_step,
          "targets look that many steps ahead",
          "set it between 1 and 16");
  Require(algorithm.dqn.retrace_lambda == 0 || batch.follow_greedy_only,
          "follow_greedy_only",
          batch.follow_greedy_only,
          "learner.dqn.retrace_lambda weighs what was not greedy, and must see it",
          "set it to true, or retrace_lambda to 0");
  Require(algorithm.name != "sac" || n_step == 1,
          "n_step",
          n_step,
          "learner.algorithm is sac, which learns from single steps",
          "set it to 1");
  const bool on_policy = IsOnPolicy(algorithm.name);
  Require(!on_policy || (!batch.relabel.enabled && !batch.agreement_rows),
          "relabel.enabled",
          batch.relabel.enabled,
          "the algorithm learns about the policy that acted, under the terms that it acted under",
          "set learner.relabel.enabled and learner.agreement_rows to false");
  Require(!on_policy || batch.follow_greedy_only,
          "follow_greedy_only",
          batch.follow_greedy_only,
          "advantages are estimated over all lengths of a window",
          "set it to true");
  Require(!on_policy || replay.capacity >= 4 * rollout.rows,
          "replay.capacity",
          replay.capacity,
          "a rollout's rows would be forgotten while they are learned from",
          "set it to at least four times learner.rollout.rows");
  Require(!on_policy || rate.slack >= 2 * rate.samples_per_row * static_cast<double>(rollout.rows),
          "rate.slack",
          static_cast<std::int64_t>(rate.slack),
          "actors would be held back before a rollout is complete",
          "set it to at least twice samples_per_row times learner.rollout.rows");
  Require(rate.min_rows <= replay.capacity,
          "rate.min_rows",
          rate.min_rows,
          "the replay never holds so many rows",
          "set it to at most learner.replay.capacity");
  Require(num_features >= 0,
          "num_features",
          num_features,
          "it counts the Switcher's inputs",
          "set it to 0 or more");
  Require(
      threads >= 0, "threads", threads, "it counts CPU threads", "set it to 0 (unchanged) or more");
  Require(max_updates >= 0,
          "max_updates",
          max_updates,
          "it counts updates",
          "set it to 0 (no end) or more");
  Require(publish_every >= 1,
          "publish_every",
          publish_every,
          "actors wait for new weights",
          "set it to 1 or more");
  Require(checkpoint_every.count() >= 1,
          "checkpoint_every",
          checkpoint_every.count(),
          "it is a period in seconds",
          "set it to 1 or more");
  Require(checkpoints_kept >= 1,
          "checkpoints_kept",
          checkpoints_kept,
          "the newest one is needed to go on",
          "set it to 1 or more");
}

LearnerLoop::LearnerLoop(LearnerOptions options,
                         Parts parts,
                         std::filesystem::path checkpoints,
                         std::vector<std::string> config)
    : options_((options.Validate(), std::move(options))),
      parts_(std::move(parts)),
      config_(std::move(config)),
      device_(inference::ResolveDevice(options_.device, "learner.device")),
      limiter_(options_.rate),
      checkpoints_(std::move(checkpoints), options_.checkpoints_kept, parts_.logger),
      rows_found_(parts_.log.end()),
      began_(parts_.clock.Now()),
      replay_(parts_.log, options_.replay, options_.n_step, options_.algorithm.memory_window()),
      random_(options_.seed),
      batch_(/*pinned=*/device_ != "cpu"),
      sampled_(limiter_.SampledInStep(rows_found_)),
      last_checkpoint_(parts_.clock.Now()),
      metrics_at_(parts_.clock.Now()),
      instruments_(std::make_unique<Instruments>(parts_.metrics)),
      ingest_(parts_.log,
              parts_.source,
              limiter_,
              options_.ingest,
              sampled_,
              parts_.metrics,
              parts_.logger) {
  SayHowTheLogWasFound();
}

LearnerLoop::~LearnerLoop() = default;

void LearnerLoop::SayHowTheLogWasFound() const {
  for (const core::ErrorText& text : parts_.log.set_aside())
    parts_.logger->warn("{}; why: {}; fix: {}", text.what, text.why, text.fix);
  if (parts_.log.cut_bytes() > 0) {
    parts_.logger->warn(
        "{} bytes behind the log's last whole row, {}, were cut off; actors send again what was "
        "not acknowledged",
        parts_.log.cut_bytes(),
        rows_found_);
  }
}

void LearnerLoop::Restore() {
  ++pulse_;
  parts_.log.VerifyOlder([this] { ++pulse_; });
  if (const auto checkpoint = checkpoints_.ReadLatest()) {
    GoOnFrom(*checkpoint);
  } else {
    sampled_ = 0;
  }
  ++pulse_;
  const int known =
      parts_.log.num_features() != 0 ? parts_.log.num_features() : options_.num_features;
  if (algorithm_ == nullptr && known != 0) BuildAlgorithm(known);
  if (IsOnPolicy(options_.algorithm.name)) {
    rollout_.emplace(options_.rollout, replay_);
    // What a former life had not learned from it will not be learned from.
    sampled_ = static_cast<std::int64_t>(static_cast<double>(replay_.end()) *
                                         options_.rate.samples_per_row);
  }
  ++pulse_;
  if (algorithm_ != nullptr) {
    Publish();
    WriteCheckpoint();  // So that the next life knows that this one was there.
  }
  std::lock_guard lock(progress_mutex_);
  progress_.updates = updates_;
  progress_.rows = parts_.log.end();
  is_restored_ = true;
}

void LearnerLoop::GoOnFrom(const Checkpoint& checkpoint) {
  BuildAlgorithm(checkpoint.num_features);
  algorithm_->Restore(checkpoint.algorithm);
  replay_.Restore(checkpoint.replay, rows_found_, [this] { ++pulse_; });
  random_.set_state(checkpoint.random);
  updates_ = updates_then_ = checkpoint.updates;
  sampled_ = checkpoint.sampled;
  next_version_ =
      core::WeightsVersion((checkpoint.weights.value / kVersionsPerLife + 1) * kVersionsPerLife);
  restored_updates_ = checkpoint.updates;
  config_differences_ = ConfigDifferences(checkpoint.config, config_);
  parts_.logger->info("restored updates={} rows_then={} rows_now={} next_weights={}",
                      checkpoint.updates,
                      checkpoint.replay.end,
                      rows_found_,
                      next_version_.value);
  for (const std::string& difference : config_differences_) {
    parts_.logger->warn("configuration differs from the checkpoint's: {}", difference);
  }
}

void LearnerLoop::BuildAlgorithm(int num_features) {
  if (options_.num_features != 0 && num_features != options_.num_features) {
    throw core::ModelError(
        {.what = "the run's transitions have " + std::to_string(num_features) +
                 " features, the actors will send " + std::to_string(options_.num_features),
         .why = "QUICK's hidden size or the Switcher's inputs were changed since the run began",
         .fix = "use the QUICK model the run was started with, or start a new run folder"});
  }
  algorithm_ = MakeAlgorithm(options_.algorithm, num_features, device_, options_.seed);
}

void LearnerLoop::Run() {
  if (options_.threads > 0) at::set_num_threads(options_.threads);
  if (!progress()) Restore();
  while (!IsDone()) {
    ++pulse_;
    ingest_.ThrowIfFailed();
    if (WaitUntilMaySample()) {
      Sample();
      Update();
      if (rollout_ ? !rollout_->is_under_way() : updates_ % options_.publish_every == 0) Publish();
    }
    if (parts_.clock.Now() - last_checkpoint_ >= options_.checkpoint_every)
      WriteCheckpointIfThereIsRoom();
    UpdateMetrics();
  }
  if (algorithm_ == nullptr) return;  // No row ever came.
  Publish();
  WriteCheckpoint();
  UpdateMetrics();
}

bool LearnerLoop::IsDone() const {
  return stopping_ || (options_.max_updates > 0 && updates_ >= options_.max_updates);
}

bool LearnerLoop::WaitUntilMaySample() {
  replay_.CatchUp(parts_.log.end());
  if (algorithm_ == nullptr && replay_.end() > 0) {
    BuildAlgorithm(parts_.log.num_features());
    Publish();
    WriteCheckpoint();
  }
  if (FindRows()) return true;
  const core::TimePoint before = parts_.clock.Now();
  (void)parts_.log.WaitForRows(replay_.end(), std::chrono::steady_clock::now() + kLongestWait);
  waited_ += parts_.clock.Now() - before;
  return false;
}

// Whether there is something to sample; on policy, a rollout begins by it. Its rows are spent at
// once for the limiter, and those left out as well: each counts as sampled as often as rows are on
// average.
bool LearnerLoop::FindRows() {
  if (!rollout_) {
    return replay_.num_sampleable() > 0 &&
           limiter_.MaySample(replay_.end(), sampled_, options_.batch.batch_size);
  }
  const core::WeightsVersion published(next_version_.value - 1);
  const std::int64_t spent = rollout_->BeginIfThereAreRows(published, random_);
  sampled_ += static_cast<std::int64_t>(static_cast<double>(spent) * options_.rate.samples_per_row);
  return rollout_->is_under_way();
}

// 1 Sample: rows by priority, and branched ones; gathered, relabelled.
void LearnerLoop::Sample() {
  if (rollout_) {
    rollout_->Draw(options_.batch.batch_size, random_, samples_);
    MakeBatch(replay_, samples_, options_.batch, random_, batch_);
    return;
  }
  const int num_branched = options_.batch.branched_rows;
  replay_.Sample(
      options_.batch.batch_size - num_branched, replay_.Beta(updates_), random_, samples_);
  replay_.AddBranched(num_branched, random_, samples_);
  MakeBatch(replay_, samples_, options_.batch, random_, batch_);
  sampled_ += options_.batch.batch_size;
}

// 2 Update: one gradient step; errors become priorities.
void LearnerLoop::Update() {
  algorithm_->set_progress(
      RunProgress(options_.run, updates_ + 1, parts_.log.end(), parts_.clock.Now() - began_));
  last_ = algorithm_->Update(batch_);
  replay_.UpdatePriorities(samples_.rows, last_.errors);
  ++updates_;
  instruments_->updates.Increment();
  if (last_.skipped) {
    instruments_->skipped.Increment();
    parts_.logger->warn("update {} skipped: its gradient is not finite", updates_);
  }
}

// 3 Publish: actors get the network as it is now.
void LearnerLoop::Publish() {
  parts_.weights.Publish(algorithm_->Export(next_version_));
  instruments_->version.Set(static_cast<double>(next_version_.value));
  {
    std::lock_guard lock(progress_mutex_);
    progress_.weights = next_version_;
  }
  ++next_version_.value;
}

// 4 Checkpoint: ingest goes on meanwhile, in its own thread.
void LearnerLoop::WriteCheckpoint() {
  last_checkpoint_ = parts_.clock.Now();
  const bool nothing_new = updates_ == updates_at_checkpoint_;
  if (nothing_new || algorithm_ == nullptr) return;
  checkpoints_.Write({.updates = updates_,
                      .sampled = sampled_,
                      .weights = next_version_,
                      .random = random_.state(),
                      .replay = replay_.Save(),
                      .algorithm = algorithm_->Save(),
                      .num_features = algorithm_->num_features(),
                      .watermarks = replay_.watermarks(),
                      .segments = parts_.log.Manifest(),
                      .config = config_});
  updates_at_checkpoint_ = updates_;
  parts_.log.DropBefore(std::min(replay_.begin(), checkpoints_.OldestRowNeeded().value_or(0)));
  const double seconds = Seconds(parts_.clock.Now() - last_checkpoint_);
  instruments_->checkpoint_seconds.Set(seconds);
  parts_.logger->info(
      "checkpoint written updates={} rows={} seconds={:.3f}", updates_, replay_.end(), seconds);
}

// The one before stays; the next attempt is due after checkpoint_every.
void LearnerLoop::WriteCheckpointIfThereIsRoom() {
  try {
    WriteCheckpoint();
  } catch (const core::NoRoomError& error) {
    instruments_->checkpoints_failed.Increment();
    parts_.logger->warn("no checkpoint this time: {}", error.what());
  }
}

// 5 Metrics: once a second.
void LearnerLoop::UpdateMetrics() {
  const core::TimePoint now = parts_.clock.Now();
  const double passed = Seconds(now - metrics_at_);
  if (now - metrics_at_ < kMetricsEvery && !IsDone()) return;
  const double waiting_share = passed > 0 ? std::min(1.0, Seconds(waited_) / passed) : 0;
  instruments_->rows.Set(static_cast<double>(parts_.log.end()));
  instruments_->replay.Set(static_cast<double>(replay_.num_sampleable()));
  instruments_->loss_return.Set(last_.loss_return);
  instruments_->loss_calls.Set(last_.loss_calls);
  instruments_->loss_gains.Set(last_.loss_gains);
  instruments_->loss_conservative.Set(last_.loss_conservative);
  instruments_->loss_disagreement.Set(last_.loss_disagreement);
  instruments_->loss_policy.Set(last_.loss_policy);
  instruments_->policy_entropy.Set(last_.policy_entropy);
  instruments_->gradient_norm.Set(last_.gradient_norm);
  instruments_->waiting_share.Set(waiting_share);
  std::lock_guard lock(progress_mutex_);
  progress_.rows = parts_.log.end();
  progress_.updates = updates_;
  progress_.loss_return = last_.loss_return;
  progress_.loss_calls = last_.loss_calls;
  progress_.updates_per_second =
      passed > 0 ? static_cast<double>(updates_ - updates_then_) / passed : 0;
  progress_.waiting_share = waiting_share;
  metrics_at_ = now;
  updates_then_ = updates_;
  waited_ = core::Duration{0};
}

std::optional<LearnerProgress> LearnerLoop::progress() const {
  std::lock_guard lock(progress_mutex_);
  if (!is_restored_) return std::nullopt;
  return progress_;
}

}  // namespace londi::learner
