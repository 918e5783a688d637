#include "actors/actor_loop.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/actor_counters.h"
#include "actors/random.h"
#include "actors/seeds.h"
#include "actors/worker_threads.h"
#include "core/error.h"

namespace londi::actors {
namespace {

constexpr std::chrono::milliseconds kPollInterval{50};

}  // namespace

void ActorOptions::Validate() const {
  core::RequireConfig(episodes >= 1 && episodes <= 1024,
                      "actor.episodes is " + std::to_string(episodes),
                      "each concurrent episode is a thread",
                      "set it between 1 and 1024");
  core::RequireConfig(lm_timeout.count() > 0,
                      "actor.lm_timeout is not positive",
                      "no LM answers in no time",
                      "set it above 0s");
  core::RequireConfig(max_failed_episodes >= 1,
                      "actor.max_failed_episodes is " + std::to_string(max_failed_episodes),
                      "the first failure already is one",
                      "set it to 1 or more");
  core::RequireConfig(drain.count() >= 0,
                      "actor.drain is negative",
                      "it is a waiting time",
                      "set it to 0s or more");
  switcher.Validate();
  exploration.Validate();
  branching.Validate();
  boundaries.Validate();
  terms.Validate();
}

namespace {

class CountWhile {
 public:
  explicit CountWhile(std::atomic<std::int32_t>& count) : count_(count) { ++count_; }
  ~CountWhile() { --count_; }
  CountWhile(const CountWhile&) = delete;
  CountWhile& operator=(const CountWhile&) = delete;

 private:
  std::atomic<std::int32_t>& count_;
};

}  // namespace

// Lets the loop know who waits for an answer.
class ActorLoop::WatchedLm final : public core::LanguageModel {
 public:
  WatchedLm(core::LanguageModel& lm, std::atomic<std::int32_t>& num_waiting)
      : lm_(lm), num_waiting_(num_waiting) {}

  core::Proposal Propose(const core::LmRequest& request) override {
    const CountWhile waiting(num_waiting_);
    return lm_.Propose(request);
  }

 private:
  core::LanguageModel& lm_;
  std::atomic<std::int32_t>& num_waiting_;
};

// One thread: one episode after the other.
class ActorLoop::Worker {
 public:
  Worker(ActorLoop& loop, int slot)
      : loop_(loop),
        parts_(loop.parts_),
        counters_(*loop.counters_),
        quick_(parts_.quick, loop.num_waiting_),
        deepthink_(parts_.deepthink, loop.num_waiting_),
        environment_(parts_.make_environment()),
        switcher_(MakeExplorer(loop, slot)),
        greedy_(MakeGreedy(loop, slot)),
        forced_(MakeGreedy(loop, slot)),
        decision_maker_(MakeDecisionMaker(*switcher_)),
        greedy_maker_(MakeDecisionMaker(*greedy_)),
        forced_maker_(MakeDecisionMaker(forced_)),
        random_(SlotSeed(loop.identity_, slot, "terms")),
        original_(*this),
        copy_(*this),
        of_boundaries_(*this),
        boundaries_(loop.options_.boundaries,
                    {.quick = quick_,
                     .deepthink = deepthink_,
                     .clock = parts_.clock,
                     .lm_timeout = loop.options_.lm_timeout,
                     .observer = of_boundaries_,
                     .name = [this](const EpisodeSetup& task) { return NameCopy(task); }}),
        brancher_(loop.options_.branching,
                  {.decision_maker = forced_maker_,
                   .switcher = forced_,
                   .observer = copy_,
                   .name = [this](const EpisodeSetup& setup) { return NameCopy(setup); }},
                  SlotSeed(loop.identity_, slot, "branching")) {}

  void Run() {
    int failed_in_row = 0;
    while (!loop_.stopping_) {
      const EpisodeSetup setup = NextEpisode();
      try {
        Play(setup);
        failed_in_row = 0;
      } catch (const core::UnavailableError& error) {
        if (loop_.stopping_) return;  // Whoever stops us also stops the LMs.
        counters_.failed_episodes.Add(1);
        parts_.logger->warn("actor={} episode={} left: {}",
                            loop_.identity_.actor.value,
                            setup.id.value,
                            error.what());
        if (++failed_in_row >= loop_.options_.max_failed_episodes) throw;
      }
    }
  }

 private:
  // Counts an episode's steps and makes rows of them.
  class Follower final : public EpisodeObserver {
   public:
    explicit Follower(Worker& worker) : worker_(worker) {}

    // Before an episode. `hold`: its rows are kept for Release.
    void Begin(bool hold) { hold_ = hold; }

    bool BeforeDecision() override { return worker_.TakeNewWeights(); }

    bool AfterStep(const StepRecord& record) override {
      if (episode_ != record.episode.id) spent_ = 0;
      episode_ = record.episode.id;
      worker_.CountStep(record, spent_);
      if (!hold_) return worker_.Write(ToTransition(record));
      held_.push_back(ToTransition(record));
      return true;
    }

    void Release(const std::map<std::int32_t, core::Transition::Gain>& gains) {
      for (core::Transition& row : std::exchange(held_, {})) {
        if (const auto found = gains.find(row.step); found != gains.end()) row.gain = found->second;
        if (!worker_.Write(std::move(row))) return;
      }
    }

   private:
    Worker& worker_;
    bool hold_ = false;
    std::vector<core::Transition> held_;
    std::optional<core::EpisodeId> episode_;
    std::int64_t spent_ = 0;  // Of the episode, counted apart from the governor.
  };

  // Counts a boundary's steps. They are no rows: another policy than the learned one made them.
  class BoundaryFollower final : public EpisodeObserver {
   public:
    explicit BoundaryFollower(Worker& worker) : worker_(worker) {}

    bool BeforeDecision() override { return worker_.TakeNewWeights(); }
    bool AfterStep(const StepRecord& record) override {
      if (record.step == 0) spent_ = 0;
      worker_.counters_.boundary_decisions.Add(1);
      worker_.CountStep(record, spent_);
      return true;
    }

   private:
    Worker& worker_;
    std::int64_t spent_ = 0;  // Of the episode's budget.
  };

  // One episode; with boundaries theirs, and then as many as the task is to have.
  void Play(EpisodeSetup setup) {
    const std::int32_t rollouts = loop_.options_.boundaries.rollouts;
    if (rollouts == 0) return Count(Act(setup));
    const auto boundaries = boundaries_.Play(*environment_, setup);
    if (!boundaries) return;
    counters_.TasksOf(boundaries->difficulty()).Add(1);
    setup.reference = static_cast<float>(boundaries->reference());
    for (std::int32_t i = 0; i < rollouts && !loop_.stopping_; ++i)
      Count(Act(i == 0 ? setup : NameCopy(setup)));
  }

  EpisodeResult Act(const EpisodeSetup& setup) {
    const BranchingOptions& branching = loop_.options_.branching;
    const bool branch = branching.share > 0 && random_.Uniform() < branching.share;
    original_.Begin(/*hold=*/branch);
    if (!branch) return RunEpisode(*environment_, decision_maker_, setup, parts_.clock, original_);
    BranchedEpisode episode;
    try {
      episode = brancher_.Run(*environment_, greedy_maker_, setup, parts_.clock, original_);
    } catch (const core::UnavailableError&) {
      original_.Release({});
      throw;
    }
    original_.Release(episode.gains);
    return episode.result;
  }

  bool TakeNewWeights() {
    if (loop_.stopping_) return false;
    ++loop_.moves_;
    const auto weights = parts_.weights.Latest();
    if (weights != nullptr && weights != weights_) {
      switcher_->Load(weights);
      greedy_->Load(weights);
      forced_.Load(weights);
      weights_ = weights;
    }
    return true;
  }

  bool Write(core::Transition row) {
    ++loop_.moves_;
    const CountWhile waiting(loop_.num_waiting_);
    const core::TimePoint start = parts_.clock.Now();
    const bool written = loop_.writer_.Write(std::move(row));
    counters_.write_time.Add((parts_.clock.Now() - start).count());
    if (!written) loop_.RequestStop();  // The sink was closed: nobody learns any more.
    return written;
  }

  static std::uint64_t SlotSeed(const ActorIdentity& identity, int slot, const char* purpose) {
    return MixWords({identity.run_seed,
                     static_cast<std::uint64_t>(identity.actor.value),
                     static_cast<std::uint64_t>(identity.incarnation.value),
                     static_cast<std::uint64_t>(slot),
                     static_cast<std::uint64_t>(purpose[0])});
  }

  static std::unique_ptr<core::Switcher> MakeGreedy(const ActorLoop& loop, int slot) {
    return MakeSwitcher(loop.options_.switcher, SlotSeed(loop.identity_, slot, "rule"));
  }

  static std::unique_ptr<core::Switcher> MakeExplorer(const ActorLoop& loop, int slot) {
    const ActorOptions& options = loop.options_;
    const ActorIdentity& identity = loop.identity_;
    const int run_slot = static_cast<int>(identity.actor.value) * options.episodes + slot;
    return std::make_unique<ExploringSwitcher>(
        MakeGreedy(loop, slot),
        options.exploration,
        SlotEpsilon(options.exploration, run_slot, identity.num_actors * options.episodes),
        SlotSeed(identity, slot, "exploration"));
  }

  DecisionMaker MakeDecisionMaker(core::Switcher& switcher) {
    return {quick_, deepthink_, switcher, parts_.clock, loop_.options_.lm_timeout};
  }

  EpisodeSetup NextEpisode() {
    const core::EpisodeId id(loop_.next_episode_++);
    const ActorIdentity& identity = loop_.identity_;
    const std::uint64_t seed =
        TrainingSeed(identity.run_seed, identity.actor, identity.incarnation, id);
    return {.id = id,
            .seed = seed,
            .terms = DrawTerms(loop_.options_.terms, random_),
            .session = MixWord(seed) | 1};
  }

  // The copy of an episode is one for the LMs and for the log.
  EpisodeSetup NameCopy(const EpisodeSetup& original) {
    EpisodeSetup setup = original;
    setup.id = core::EpisodeId(loop_.next_episode_++);
    setup.session = MixWords({original.session, static_cast<std::uint64_t>(setup.id.value)}) | 1;
    return setup;
  }

  // `spent`: of the episode's budget up to now.
  void CountStep(const StepRecord& record, std::int64_t& spent) {
    ++loop_.moves_;
    counters_.quick_time.Add(record.times.quick.count());
    counters_.switcher_time.Add(record.times.switcher.count());
    counters_.deepthink_time.Add(record.times.deepthink.count());
    counters_.env_time.Add(record.env_time.count());

    const core::Decision& decision = record.decision;
    counters_.decisions.Add(1);
    if (decision.deepthink) {
      counters_.deepthink_calls.Add(1);
      counters_.changed_actions.Add(decision.action() != decision.quick.action);
      const EpisodeTerms& terms = record.episode.terms;
      const std::int64_t before = spent;
      const std::int32_t price = terms.meter.Price(decision.deepthink->usage);
      spent += price;
      if (terms.budget >= 0) {
        counters_.overrun_calls.Add(price > terms.meter.most_per_call());
        if (spent > terms.budget && before <= terms.budget) {  // Now, and once.
          counters_.budget_violations.Add(1);
          parts_.logger->warn("actor={} episode={} spent {:g} of a budget of {:g} {}",
                              loop_.identity_.actor.value,
                              record.episode.id.value,
                              terms.meter.Amount(spent),
                              terms.meter.Amount(terms.budget),
                              core::UnitName(terms.meter.unit()));
        }
      }
    }
    counters_.refused_calls.Add(decision.refused);
    counters_.labels_asked.Add(decision.label.has_value());
    RaiseTo(counters_.weights, decision.choice.version.value);
  }

  static void RaiseTo(std::atomic<std::int64_t>& highest, std::int64_t value) {
    std::int64_t seen = highest.load(std::memory_order_relaxed);
    while (seen < value && !highest.compare_exchange_weak(seen, value)) {
    }
  }

  void Count(const EpisodeResult& result) {
    if (!result.finished) return;
    counters_.episodes.Add(1);
    counters_.successes.Add(result.success);
  }

  ActorLoop& loop_;
  Parts& parts_;
  ActorCounters& counters_;
  WatchedLm quick_;
  WatchedLm deepthink_;
  const std::unique_ptr<core::Environment> environment_;
  const std::unique_ptr<core::Switcher> switcher_;  // Explores.
  const std::unique_ptr<core::Switcher> greedy_;    // Of branched episodes ...
  ForcedSwitcher forced_;                           // ... and of their copies.
  DecisionMaker decision_maker_, greedy_maker_, forced_maker_;
  Random random_;
  Follower original_, copy_;
  BoundaryFollower of_boundaries_;
  BoundaryPlayer boundaries_;
  Brancher brancher_;
  std::shared_ptr<const core::WeightsSnapshot> weights_;
};

ActorLoop::ActorLoop(const ActorOptions& options, const ActorIdentity& identity, Parts parts)
    : options_(options),
      identity_(identity),
      parts_(std::move(parts)),
      writer_(parts_.sink, identity.actor, identity.incarnation),
      counters_(std::make_unique<ActorCounters>(parts_.metrics, identity.actor)) {
  options_.Validate();
}

ActorLoop::~ActorLoop() = default;

void ActorLoop::Run() {
  WorkerThreads threads([this] { RequestStop(); });
  for (int slot = 0; slot < options_.episodes; ++slot) {
    threads.Start("actor.env" + std::to_string(slot), [this, slot] { Worker(*this, slot).Run(); });
  }
  while (!stopping_ && !threads.WaitUntil(parts_.clock.Now() + kPollInterval)) {
    counters_->Publish();
    FeelPulse();
  }

  parts_.sink.StartDraining();  // Threads that wait for room in it get on, too.
  const core::TimePoint deadline = parts_.clock.Now() + options_.drain;
  if (!threads.WaitUntil(deadline)) {
    parts_.logger->warn("actor={} episodes still wait for the learner: giving up their rows",
                        identity_.actor.value);
    parts_.sink.Close();
  } else if (!parts_.sink.Drain(deadline)) {
    parts_.logger->warn("actor={} {} rows did not reach the learner in time",
                        identity_.actor.value,
                        parts_.sink.status().unacknowledged);
  }
  threads.Join();
  counters_->Publish();
}

void ActorLoop::FeelPulse() {
  const std::int64_t moves = moves_;
  if (moves != moves_felt_ || num_waiting_ > 0) ++pulse_;
  moves_felt_ = moves;
}

ActorProgress ActorLoop::progress() const {
  const ActorCounters& c = *counters_;
  const auto seconds = [](const Tally& time) {
    return static_cast<double>(time.Get()) * ActorCounters::kSecondsPerTick;
  };
  return {.decisions = c.decisions.Get(),
          .boundary_decisions = c.boundary_decisions.Get(),
          .episodes = c.episodes.Get(),
          .successes = c.successes.Get(),
          .deepthink_calls = c.deepthink_calls.Get(),
          .changed_actions = c.changed_actions.Get(),
          .failed_episodes = c.failed_episodes.Get(),
          .refused_calls = counters_->refused_calls.Get(),
          .overrun_calls = c.overrun_calls.Get(),
          .budget_violations = c.budget_violations.Get(),
          .weights = core::WeightsVersion(c.weights.load()),
          .env_seconds = seconds(c.env_time),
          .quick_seconds = seconds(c.quick_time),
          .switcher_seconds = seconds(c.switcher_time),
          .deepthink_seconds = seconds(c.deepthink_time),
          .write_seconds = seconds(c.write_time)};
}

}  // namespace londi::actors
