#include "actors/actor_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/seeds.h"
#include "actors/switcher_features.h"
#include "core/error.h"
#include "tests/support/background.h"
#include "tests/support/counting_world.h"
#include "tests/support/fake_language_model.h"
#include "tests/support/recording_environment.h"
#include "tests/support/refuses.h"
#include "tests/support/switcher_weights.h"
#include "transport/in_process.h"

namespace londi::actors {
namespace {

using std::chrono::milliseconds;
using testing::Background;
using testing::CountingEnvironment;
using testing::CountingLm;
using testing::FakeLanguageModel;

class ActorLoopTest : public ::testing::Test {
 protected:
  static ActorOptions Options(const std::string& switcher = "mlp", int episodes = 3) {
    ActorOptions options;
    options.episodes = episodes;
    options.switcher.kind = switcher;
    return options;
  }

  ActorLoop::Parts Parts(core::LanguageModel& quick, core::LanguageModel& deepthink) {
    return {.make_environment = [] { return std::make_unique<CountingEnvironment>(); },
            .quick = quick,
            .deepthink = deepthink,
            .sink = *sink_,
            .weights = weights_,
            .metrics = metrics_,
            .logger = monitor::MakeNullLogger(),
            .clock = clock_};
  }
  ActorLoop::Parts Parts() { return Parts(quick_, deepthink_); }

  // Runs the loop as a learner would see it, until `enough(rows)`; returns all rows.
  std::vector<core::Transition> RunUntil(
      ActorLoop& loop, const std::function<bool(const std::vector<core::Transition>&)>& enough) {
    std::vector<core::Transition> rows;
    Background run([&] { loop.Run(); });
    const auto take = [&](core::TimePoint deadline) {
      const auto batch = channel_.Receive(deadline);
      if (!batch) return false;
      rows.insert(rows.end(), batch->rows.begin(), batch->rows.end());
      channel_.Ack(batch->stream, batch->last(), 4096);
      return true;
    };
    while (!run.is_done()) {
      take(clock_.Now() + milliseconds(1));
      if (enough(rows)) loop.RequestStop();
    }
    while (take(clock_.Now())) {
    }
    run.Get();
    return rows;
  }
  std::vector<core::Transition> RunUntil(ActorLoop& loop, std::size_t num_rows) {
    return RunUntil(loop, [num_rows](const auto& rows) { return rows.size() >= num_rows; });
  }

  core::SystemClock clock_;
  monitor::Metrics metrics_;
  CountingLm quick_{core::Tier::kQuick}, deepthink_{core::Tier::kDeepthink};
  transport::InProcessTransitionChannel channel_{{.spool = {.flush_rows = 1}}};
  std::unique_ptr<transport::TransitionSink> sink_ = channel_.MakeSink();
  transport::InProcessWeightsChannel weights_;
};

TEST_F(ActorLoopTest, WritesWholeEpisodesWithinTheirBudgetsAsOneStream) {
  ActorOptions options = Options("always");
  options.terms = {.max_budget = 3, .unlimited = 0.3};
  ActorLoop loop(
      options, {.actor = core::ActorId(5), .incarnation = core::Incarnation(2)}, Parts());

  const std::vector<core::Transition> rows = RunUntil(loop, 400);

  std::map<std::int64_t, std::vector<core::Transition>> episodes;
  std::int64_t activated = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].sequence.value, static_cast<std::int64_t>(i) + 1);
    ASSERT_EQ(rows[i].actor, core::ActorId(5));
    ASSERT_EQ(rows[i].incarnation, core::Incarnation(2));
    episodes[rows[i].episode.value].push_back(rows[i]);
    activated += rows[i].activated;
  }
  for (const auto& [id, episode] : episodes) {
    const std::int32_t budget = episode.front().remaining;
    std::int32_t calls = 0;
    for (std::size_t i = 0; i < episode.size(); ++i) {
      const core::Transition& row = episode[i];
      ASSERT_EQ(row.step, static_cast<int>(i));
      ASSERT_EQ(row.steps_left, CountingEnvironment::kSteps - row.step);
      ASSERT_EQ(row.cost, episode.front().cost);
      ASSERT_EQ(row.remaining, budget < 0 ? budget : budget - calls);
      ASSERT_EQ(row.may_activate, row.remaining != 0);
      ASSERT_TRUE(row.may_activate || (!row.activated && row.behaviour_prob == 1));
      ASSERT_GT(row.behaviour_prob, 0);
      ASSERT_EQ(row.done(), i + 1 == episode.size() && row.done());
      calls += row.activated;
    }
    if (budget >= 0) {
      ASSERT_LE(calls, budget) << "episode " << id;
    }
  }
  const ActorProgress progress = loop.progress();
  EXPECT_EQ(progress.decisions, static_cast<std::int64_t>(rows.size()));
  EXPECT_EQ(progress.deepthink_calls, activated);
  EXPECT_GT(activated, 0);
  EXPECT_GT(progress.episodes, 0);
  EXPECT_GE(progress.episodes, progress.successes);
  EXPECT_EQ(progress.budget_violations, 0);
  EXPECT_EQ(metrics_.Sum("londi_actor_decisions_total"), static_cast<double>(rows.size()));
  EXPECT_GT(metrics_.Sum("londi_actor_seconds_total"), 0);
}

// The one who always calls needs DEEPTHINK at each riddle: there calls were worth the task.
TEST_F(ActorLoopTest, BranchedEpisodesSayWhatTheirCallsWereWorthAndTheirCopiesAreRowsToo) {
  ActorOptions options = Options("always");
  options.branching = {.share = 1, .rate = 1};
  options.terms = {.unlimited = 1};
  ActorLoop loop(options, {}, Parts());

  const std::vector<core::Transition> rows = RunUntil(loop, 600);

  std::int64_t branched = 0, of_copies = 0, last_sequence = 0;
  std::map<std::int64_t, std::int32_t> steps;  // Of each episode.
  for (const core::Transition& row : rows) {
    ASSERT_EQ(row.sequence.value, ++last_sequence);
    const auto [step, is_new] = steps.try_emplace(row.episode.value, row.step);
    if (!is_new) {
      ASSERT_EQ(row.step, step->second + 1);
    }
    step->second = row.step;
    of_copies += !row.activated;  // A copy begins with QUICK's mistake, which ends it.
    if (!row.gain) continue;
    ++branched;
    ASSERT_FALSE(row.agreed());
    ASSERT_EQ(row.gain->task_return, 1);
    ASSERT_EQ(row.gain->calls, CountingEnvironment::kSteps - row.step);
  }
  EXPECT_GT(branched, 60);
  EXPECT_GE(of_copies, branched);
  const ActorProgress progress = loop.progress();
  EXPECT_EQ(progress.decisions, static_cast<std::int64_t>(rows.size()));
  EXPECT_EQ(progress.episodes, progress.successes);  // Copies do not count.
}

// Two boundaries, then the policy twice: each task is four episodes with one seed. Who always calls
// does as well as the boundary that does so, and no better than the other where that succeeds.
TEST_F(ActorLoopTest, WithBoundariesATaskIsPlayedByThemFirstAndItsRowsKnowTheBettersReturn) {
  constexpr std::size_t kPerTask = 4;
  testing::SeedRecord record;
  ActorLoop::Parts parts = Parts();
  parts.make_environment = [&] { return std::make_unique<testing::RecordingEnvironment>(record); };
  ActorOptions options = Options("always", 1);
  options.exploration = {.epsilon_base = 1e-9,
                         .always_quick = 0,
                         .always_deepthink = 0,
                         .random_rate = 0,
                         .takeover = 0};
  options.boundaries = {.rollouts = 2};
  options.terms = {.zero_cost = 0, .min_cost = 0.05, .max_cost = 0.3, .unlimited = 1};
  ActorLoop loop(options, {}, parts);

  const std::vector<core::Transition> rows = RunUntil(loop, 800);

  const std::vector<std::uint64_t> seeds = record.seeds();
  std::set<std::uint64_t> tasks;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (i % kPerTask == 0) {
      EXPECT_TRUE(tasks.insert(seeds[i]).second) << "the next task is another one";
    } else {
      EXPECT_EQ(seeds[i], seeds[i - 1]);
    }
  }
  std::map<std::int64_t, float> references;  // Of the episodes that are rows.
  int easy = 0, hard = 0;
  for (const core::Transition& row : rows) {
    EXPECT_EQ(references.try_emplace(row.episode.value, row.reference).first->second,
              row.reference);
    const float always = 1 - CountingEnvironment::kSteps * row.cost;
    const bool is_easy = row.reference == 1;
    (is_easy ? easy : hard) += row.step == 0;
    EXPECT_NEAR(row.reference, is_easy ? 1 : std::max(0.0f, always), 1e-6);
    EXPECT_EQ(row.reward, row.step + 1 == CountingEnvironment::kSteps ? 1 : 0) << "the task's own";
  }
  EXPECT_GT(easy, 0);
  EXPECT_GT(hard, 0);
  EXPECT_NEAR(static_cast<double>(references.size()), static_cast<double>(seeds.size()) / 2, 2)
      << "boundaries are no rows";

  const ActorProgress progress = loop.progress();
  EXPECT_EQ(progress.decisions - progress.boundary_decisions,
            static_cast<std::int64_t>(rows.size()));
  EXPECT_GT(progress.deepthink_calls, static_cast<std::int64_t>(rows.size()))
      << "the boundaries' calls are calls of the training";
  EXPECT_EQ(progress.episodes, progress.successes);  // QUICK's failures do not count.
  EXPECT_NEAR(
      metrics_.Sum("londi_actor_boundary_tasks_total"), static_cast<double>(tasks.size()), 1)
      << "but for the last one";
}

TEST_F(ActorLoopTest, TakesNewWeightsBetweenDecisions) {
  const testing::SwitcherShape shape{.num_features = NumFeatures(4)};
  weights_.Publish(testing::MakeRandomSwitcherWeights(shape, 1, 7));
  ActorLoop loop(Options("mlp", 1), {}, Parts());  // One thread: its rows are in order.

  bool published = false;
  const std::vector<core::Transition> rows = RunUntil(loop, [&](const auto& so_far) {
    if (so_far.size() >= 30 && !std::exchange(published, true))
      weights_.Publish(testing::MakeRandomSwitcherWeights(shape, 2, 8));
    return !so_far.empty() && so_far.back().weights == core::WeightsVersion(8);
  });

  EXPECT_EQ(rows.front().weights, core::WeightsVersion(7));
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &core::Transition::weights));
  EXPECT_EQ(rows.back().weights, core::WeightsVersion(8));
  EXPECT_EQ(loop.progress().weights, core::WeightsVersion(8));
}

TEST_F(ActorLoopTest, LeavesAnEpisodeWhoseLmIsAbsentAndGoesOnWithTheNext) {
  std::atomic<int> asked = 0;
  FakeLanguageModel flaky([&](const core::LmRequest& request) {
    if (++asked % 9 == 0) throw core::UnavailableError({.what = "no worker"});
    return quick_.Propose(request);
  });
  ActorOptions options = Options("never");
  options.max_failed_episodes = 1000;
  ActorLoop loop(options, {}, Parts(flaky, deepthink_));

  const std::vector<core::Transition> rows = RunUntil(loop, 200);

  EXPECT_GT(loop.progress().failed_episodes, 0);
  EXPECT_GT(loop.progress().episodes, 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].sequence.value, static_cast<std::int64_t>(i) + 1);
  }
}

TEST_F(ActorLoopTest, GivesUpAfterTooManyFailuresInARow) {
  FakeLanguageModel absent([](const core::LmRequest&) -> core::Proposal {
    throw core::UnavailableError({.what = "no worker"});
  });
  ActorOptions options = Options("never", 1);
  options.max_failed_episodes = 4;
  ActorLoop loop(options, {}, Parts(absent, deepthink_));

  EXPECT_THROW(loop.Run(), core::UnavailableError);

  EXPECT_EQ(loop.progress().failed_episodes, 4);
}

TEST_F(ActorLoopTest, ARefusedRequestStopsAllThreads) {
  std::atomic<int> asked = 0;
  FakeLanguageModel refusing([&](const core::LmRequest& request) {
    if (++asked == 20) throw core::Error({.what = "the prompt is too long"});
    return quick_.Propose(request);
  });
  ActorLoop loop(Options("never"), {}, Parts(refusing, deepthink_));

  EXPECT_THROW(RunUntil(loop, 1'000'000), core::Error);
}

TEST_F(ActorLoopTest, ReturnsWhenTheSinkIsClosed) {
  ActorLoop loop(Options("never"), {}, Parts());
  Background run([&] { loop.Run(); });
  while (sink_->status().pushed.value < 20) std::this_thread::yield();

  sink_->Close();

  EXPECT_NO_THROW(run.Get());
}

TEST_F(ActorLoopTest, AStopDoesNotWaitLongerThanTheDrainForALearnerThatTakesNothing) {
  transport::InProcessTransitionChannel narrow({.spool = {.max_rows = 4, .flush_rows = 1}});
  sink_ = narrow.MakeSink();
  ActorOptions options = Options("never");
  options.drain = milliseconds(1);
  ActorLoop loop(options, {}, Parts());
  Background run([&] { loop.Run(); });
  while (sink_->status().unacknowledged < 4) std::this_thread::yield();

  loop.RequestStop();

  EXPECT_NO_THROW(run.Get());
  EXPECT_EQ(sink_->status().unacknowledged, 4);
  sink_.reset();  // Before its channel.
}

TEST_F(ActorLoopTest, AStopHandsOverAllRowsToALearnerThatThrottles) {
  transport::InProcessTransitionChannel narrow({.spool = {.max_rows = 4, .flush_rows = 1}});
  sink_ = narrow.MakeSink();
  ActorLoop loop(Options("never"), {}, Parts());
  Background run([&] { loop.Run(); });
  std::int64_t received = 0;
  const auto take = [&] {
    const auto batch = narrow.Receive(clock_.Now() + milliseconds(1));
    if (!batch) return;
    received += std::ssize(batch->rows);
    narrow.Ack(batch->stream, batch->last(), 0);
  };
  take();
  while (sink_->status().unacknowledged < 4) std::this_thread::yield();  // All threads wait.

  loop.RequestStop();
  while (!run.is_done()) take();

  EXPECT_EQ(received, loop.progress().decisions);
  EXPECT_EQ(sink_->status().unacknowledged, 0);
  sink_.reset();  // Before its channel.
}

TEST_F(ActorLoopTest, ARestartedActorPlaysOtherEpisodes) {
  const auto seeds_of_life = [&](std::int64_t incarnation) {
    testing::SeedRecord record;
    channel_.Receive(clock_.Now());
    sink_ = channel_.MakeSink();
    ActorLoop::Parts parts = Parts();
    parts.make_environment = [&] {
      return std::make_unique<testing::RecordingEnvironment>(record);
    };
    ActorLoop loop(Options("never", 1), {.incarnation = core::Incarnation(incarnation)}, parts);
    RunUntil(loop, 100);
    return record.seeds();
  };

  const std::vector<std::uint64_t> first = seeds_of_life(1);
  const std::vector<std::uint64_t> second = seeds_of_life(2);

  const std::set<std::uint64_t> first_set(first.begin(), first.end());
  EXPECT_EQ(first_set.size(), first.size());
  EXPECT_GE(*first_set.begin(), kFirstTrainingSeed);
  for (const std::uint64_t seed : second) EXPECT_FALSE(first_set.contains(seed));
}

TEST(ActorOptions, RefuseWhatCannotWork) {
  const auto refused = testing::Refuses<ActorOptions>;
  EXPECT_FALSE(refused([](ActorOptions&) {}));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.episodes = 0; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.episodes = 1025; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.lm_timeout = milliseconds(0); }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.max_failed_episodes = 0; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.drain = milliseconds(-1); }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.switcher.kind = "oracle"; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.exploration.epsilon_base = 2; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.terms.min_cost = 0; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.terms.max_cost = o.terms.min_cost / 2; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.terms.max_budget = -1; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.terms.unlimited = 1.5; }));
  EXPECT_TRUE(refused([](ActorOptions& o) { o.boundaries.rollouts = -1; }));
}

// Whether the loop's pulse rises within some of its beats.
bool HasPulse(const ActorLoop& loop) {
  const std::int64_t before = loop.pulse();
  for (int i = 0; i < 60 && loop.pulse() <= before; ++i)
    std::this_thread::sleep_for(milliseconds(5));
  return loop.pulse() > before;
}

// Hangs in a step until it is let go.
class HangingEnvironment final : public core::Environment {
 public:
  HangingEnvironment(std::shared_future<void> go, std::atomic<int>& num_hanging)
      : go_(std::move(go)), num_hanging_(num_hanging) {}

  core::Observation Reset(std::uint64_t seed) override { return world_.Reset(seed); }
  core::StepResult Step(std::string_view action) override {
    ++num_hanging_;
    go_.wait();
    return world_.Step(action);
  }
  std::vector<std::string> AdmissibleActions() const override { return world_.AdmissibleActions(); }
  int MaxSteps() const override { return world_.MaxSteps(); }
  std::string Kind() const override { return world_.Kind(); }
  std::unique_ptr<core::Environment> Clone() const override {
    return std::make_unique<HangingEnvironment>(go_, num_hanging_);
  }

 private:
  const std::shared_future<void> go_;
  std::atomic<int>& num_hanging_;
  CountingEnvironment world_;
};

TEST_F(ActorLoopTest, ThePulseStandsStillWhenAllEnvironmentsHang) {
  std::promise<void> go;
  std::atomic<int> num_hanging = 0;
  ActorLoop::Parts parts = Parts();
  parts.make_environment = [&num_hanging, hangs = go.get_future().share()] {
    return std::make_unique<HangingEnvironment>(hangs, num_hanging);
  };
  ActorLoop loop(Options(), {}, parts);
  Background run([&] { loop.Run(); });
  while (num_hanging < 3) std::this_thread::yield();
  (void)HasPulse(loop);  // The beat that felt how they got there.

  EXPECT_FALSE(HasPulse(loop));
  go.set_value();
  EXPECT_TRUE(HasPulse(loop));

  sink_->Close();
  run.Get();
}

// Answers when it is let go.
class SlowLm final : public core::LanguageModel {
 public:
  core::Proposal Propose(const core::LmRequest& request) override {
    go_.wait();
    return lm_.Propose(request);
  }
  void LetGo() { promise_.set_value(); }

 private:
  std::promise<void> promise_;
  const std::shared_future<void> go_ = promise_.get_future().share();
  CountingLm lm_{core::Tier::kQuick};
};

TEST_F(ActorLoopTest, ThePulseGoesOnWhileEpisodesWaitForALanguageModelOrForTheLearner) {
  SlowLm slow;
  ActorLoop loop(Options(), {}, Parts(slow, deepthink_));
  Background run([&] { loop.Run(); });

  for (int i = 0; i < 4; ++i) EXPECT_TRUE(HasPulse(loop));  // For an answer.
  slow.LetGo();
  // Nobody takes the rows: soon the spool is full.
  for (std::int64_t decisions = -1; loop.progress().decisions != decisions;) {
    decisions = loop.progress().decisions;
    std::this_thread::sleep_for(milliseconds(200));
  }
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(HasPulse(loop));

  sink_->Close();
  run.Get();
}

}  // namespace
}  // namespace londi::actors
