#include "launch/lock_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "launch/wiring.h"
#include "learner/checkpoint.h"

namespace londi::launch {
namespace {

// Refuses rows after a number of them, which ends an actor's turn at an exact place.
class LimitedSink final : public transport::TransitionSink {
 public:
  LimitedSink(std::unique_ptr<transport::TransitionSink> sink, std::int64_t rows)
      : sink_(std::move(sink)), left_(rows) {}

  bool Push(core::Transition row) override { return left_-- > 0 && sink_->Push(std::move(row)); }
  void StartDraining() override { sink_->StartDraining(); }
  bool Drain(core::TimePoint deadline) override { return sink_->Drain(deadline); }
  transport::SinkStatus status() const override { return sink_->status(); }
  void Close() override { sink_->Close(); }

 private:
  const std::unique_ptr<transport::TransitionSink> sink_;
  std::int64_t left_;
};

// What there is has been acted for this turn, so nobody waits for the other.
learner::RateLimiterOptions NoLimits() {
  return {.samples_per_row = 1, .min_rows = 1, .slack = 1e12};
}

}  // namespace

// While it lives other threads see who works; what was done stays in the totals.
template <class Role>
class LockStep::AtWork {
 public:
  AtWork(LockStep& owner, std::optional<Role>& place, Role role) : owner_(owner), place_(place) {
    std::lock_guard lock(owner_.mutex_);
    place_.emplace(role);
    if (owner_.stopping_) role.loop.RequestStop();
  }
  ~AtWork() {
    std::lock_guard lock(owner_.mutex_);
    owner_.CountWork();
    place_.reset();
  }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  LockStep& owner_;
  std::optional<Role>& place_;
};

LockStep::LockStep(LockStepOptions options,
                   Parts parts,
                   std::filesystem::path checkpoints,
                   std::vector<std::string> config,
                   ProgressTotals totals)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      checkpoints_(std::move(checkpoints)),
      config_(std::move(config)),
      totals_(std::move(totals)) {
  const learner::CheckpointStore store(
      checkpoints_, options_.learner.checkpoints_kept, parts_.logger);
  if (const auto checkpoint = store.ReadLatest()) updates_ = checkpoint->updates;
}

void LockStep::Run() {
  while (!stopping_ && updates_ < options_.learner.max_updates) TakeTurn();
}

void LockStep::TakeTurn() {
  const core::Incarnation incarnation(options_.incarnation.value + turn_++);
  learner::LearnerOptions options = options_.learner;
  options.rate = NoLimits();
  options.seed = options_.seed;
  options.run = {.updates = options_.learner.max_updates};
  options.max_updates =
      std::min(options_.learner.max_updates, updates_ + options_.updates_per_turn);
  learner::LearnerLoop learner(options,
                               {.log = parts_.log,
                                .source = parts_.transitions,
                                .weights = parts_.weights,
                                .metrics = parts_.metrics,
                                .logger = parts_.logger,
                                .clock = parts_.clock},
                               checkpoints_,
                               config_);
  learner.Restore();  // The actors act with its weights.
  const AtWork<Learning> learning(*this, learning_, {learner, incarnation});
  const std::int64_t rows = options_.rows_per_turn + (updates_ == 0 ? options_.first_rows : 0);
  for (int actor = 0; actor < options_.num_actors && !stopping_; ++actor)
    Act(core::ActorId(actor), incarnation, rows);
  learner.Run();
  updates_ = learner.progress()->updates;
}

void LockStep::Act(core::ActorId actor, core::Incarnation incarnation, std::int64_t rows) {
  LimitedSink sink(parts_.transitions.MakeSink(), rows);
  actors::ActorOptions options = options_.actor;
  options.episodes = 1;
  actors::ActorLoop loop(options,
                         {.run_seed = options_.seed,
                          .actor = actor,
                          .incarnation = incarnation,
                          .num_actors = options_.num_actors},
                         {.make_environment = parts_.make_environment,
                          .quick = parts_.quick,
                          .deepthink = parts_.deepthink,
                          .sink = sink,
                          .weights = parts_.weights,
                          .metrics = parts_.metrics,
                          .logger = parts_.logger,
                          .clock = parts_.clock});
  const AtWork<Acting> acting(*this, acting_, {loop, sink, actor, incarnation});
  loop.Run();
}

void LockStep::RequestStop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  if (acting_) acting_->loop.RequestStop();
  if (learning_) learning_->loop.RequestStop();
}

void LockStep::Abandon() {
  std::lock_guard lock(mutex_);
  if (acting_) acting_->sink.Close();
}

void LockStep::ThrowIfFailed() const {
  std::lock_guard lock(mutex_);
  if (learning_) learning_->loop.ThrowIfFailed();
}

ProgressTotals LockStep::totals() const {
  std::lock_guard lock(mutex_);
  CountWork();
  return totals_;
}

void LockStep::CountWork() const {
  if (acting_) {
    totals_.Update(fmt::format("actor.{}", acting_->actor.value),
                   acting_->incarnation,
                   Counters(acting_->loop.progress()));
  }
  if (learning_)
    totals_.Update("learner", learning_->incarnation, Counters(*learning_->loop.progress()));
}

}  // namespace londi::launch
