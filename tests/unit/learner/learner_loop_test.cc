#include "learner/learner_loop.h"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/no_room.h"
#include "core/policy_network.h"
#include "core/switcher_network.h"
#include "tests/support/background.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transitions.h"
#include "tests/unit/learner/replay/segment_log_support.h"
#include "transport/in_process.h"

namespace londi::learner {
namespace {

using testing::Background;
using testing::MakeTransition;
using testing::TempFolder;

LearnerOptions SmallOptions(std::int64_t max_updates) {
  LearnerOptions options;
  options.algorithm.dqn.network.width = 8;
  options.algorithm.dqn.network.layers = 1;
  options.batch.batch_size = 16;
  options.replay.capacity = 1000;
  options.rate = {.samples_per_row = 64, .min_rows = 20, .slack = 100'000};
  options.device = "cpu";
  options.threads = 1;
  options.max_updates = max_updates;
  options.publish_every = 5;
  return options;
}

// What a learner stands on; each `Life` is one process.
struct World {
  explicit World(std::int64_t rows) {
    std::vector<core::Transition> all;
    for (std::int64_t i = 0; i < rows; ++i) {
      const int step = static_cast<int>(i % 10);
      all.push_back(MakeTransition({.sequence = i + 1,
                                    .episode = i / 10,
                                    .step = step,
                                    .steps_left = 10 - step,
                                    .activated = i % 3 == 0,
                                    .reward = step == 9 ? 1.0f : 0.0f,
                                    .terminated = step == 9}));
    }
    log.Append(all);
    log.Commit();
  }

  std::unique_ptr<LearnerLoop> Begin(const LearnerOptions& options,
                                     std::vector<std::string> config = {"seed = 1"}) {
    auto loop = BeginUnrestored(options, std::move(config));
    loop->Restore();
    return loop;
  }

  std::unique_ptr<LearnerLoop> BeginUnrestored(const LearnerOptions& options,
                                               std::vector<std::string> config = {"seed = 1"}) {
    weights = std::make_unique<transport::InProcessWeightsChannel>();
    return std::make_unique<LearnerLoop>(
        options,
        LearnerLoop::Parts{log, source, *weights, metrics, monitor::MakeNullLogger(), clock},
        folder / "checkpoints",
        std::move(config));
  }

  TempFolder folder;
  SegmentLog log{folder / "log", {}};
  transport::InProcessTransitionChannel source;
  std::unique_ptr<transport::InProcessWeightsChannel> weights;
  monitor::Metrics metrics;
  core::SystemClock clock;
};

std::vector<float> AllValues(const core::WeightsSnapshot& weights) {
  std::vector<float> values;
  for (const core::NamedArray& array : weights.arrays)
    values.insert(values.end(), array.values.begin(), array.values.end());
  return values;
}

TEST(LearnerLoop, PublishesBeforeAnyRowWhereTheFeaturesAreKnown) {
  World world(0);
  LearnerOptions options = SmallOptions(1);
  const auto unknown = world.Begin(options);
  EXPECT_EQ(world.weights->Latest(), nullptr);

  options.num_features = 4;
  const auto known = world.Begin(options);

  ASSERT_NE(world.weights->Latest(), nullptr);
  EXPECT_EQ(world.weights->Latest()->architecture, core::switcher_network::kArchitecture);
}

TEST(LearnerLoop, TrainsAsFarAsAskedAndLeavesACheckpointAndWeights) {
  World world(100);
  const auto loop = world.Begin(SmallOptions(12));

  loop->Run();

  EXPECT_EQ(loop->progress()->updates, 12);
  EXPECT_EQ(loop->progress()->rows, 100);
  EXPECT_GT(loop->progress()->loss_return, 0);
  EXPECT_EQ(world.weights->Latest()->version, loop->progress()->weights);
  EXPECT_EQ(world.weights->Latest()->version.value, 3);  // At the start, after 5, 10 and 12.
  CheckpointStore store(world.folder / "checkpoints", 3, monitor::MakeNullLogger());
  EXPECT_EQ(store.ReadLatest()->updates, 12);
  EXPECT_EQ(store.ReadLatest()->sampled, 12 * 16);
}

// How far a network's parameters come in a few large steps, which in the end are tiny.
float Moved(const RunLength& run) {
  World world(100);
  LearnerOptions options = SmallOptions(10);
  options.algorithm.dqn.network.adam = {.learning_rate = 0.1, .final_learning_rate = 1e-7};
  options.run = run;
  const auto loop = world.Begin(options);
  const std::vector<float> before = AllValues(*world.weights->Latest());
  loop->Run();
  const std::vector<float> after = AllValues(*world.weights->Latest());
  float most = 0;
  for (std::size_t i = 0; i < after.size(); ++i)
    most = std::max(most, std::abs(after[i] - before[i]));
  return most;
}

TEST(LearnerLoop, ItsStepsShrinkTowardsTheEndOfTheRun) {
  const float all_run_long = Moved({});
  EXPECT_GT(all_run_long, 0.5f);  // Of ten steps of 0.1.
  EXPECT_LT(Moved({.updates = 10}), 0.8f * all_run_long);
  EXPECT_LT(Moved({.rows = 100}), 1e-4f) << "the last row was there";
  EXPECT_LT(Moved({.time = std::chrono::hours(1), .time_before = std::chrono::hours(1)}), 1e-4f)
      << "the time was over";
}

TEST(LearnerLoop, ARestartedOneLearnsWhatAnUninterruptedOneWouldHave) {
  World whole(100), broken(100);
  const auto options = [](std::int64_t max_updates) {
    LearnerOptions options = SmallOptions(max_updates);
    options.run.updates = 20;
    return options;
  };
  whole.Begin(options(20))->Run();
  broken.Begin(options(8))->Run();

  const auto second_life = broken.Begin(options(20));
  EXPECT_EQ(second_life->restored_updates(), 8);
  second_life->Run();

  EXPECT_EQ(AllValues(*broken.weights->Latest()), AllValues(*whole.weights->Latest()));
  EXPECT_EQ(CheckpointStore(broken.folder / "checkpoints", 3, monitor::MakeNullLogger())
                .ReadLatest()
                ->sampled,
            20 * 16)
      << "the ratio of samples to rows goes on from where it was";
  EXPECT_GE(broken.weights->Latest()->version.value,
            kVersionsPerLife);  // Newer than the killed one's.
}

TEST(LearnerLoop, EachLifeBeginsAtAHigherVersionThoughNothingWasLearned) {
  World world(100);
  std::int64_t last = -1;
  for (int life = 0; life < 3; ++life) {
    const auto loop = world.Begin(SmallOptions(5));
    const std::int64_t version = world.weights->Latest()->version.value;
    EXPECT_EQ(version, life * kVersionsPerLife);
    EXPECT_GT(version, last);
    last = version;
  }
}

// `rows` rows of one more actor, acknowledged.
void SendTo(World& world, std::int64_t rows) {
  const auto sink = world.source.MakeSink();
  for (std::int64_t i = 0; i < rows; ++i) {
    ASSERT_TRUE(sink->Push(MakeTransition({.actor = 2,
                                           .sequence = i + 1,
                                           .episode = i / 4,
                                           .step = static_cast<int>(i % 4),
                                           .terminated = i % 4 == 3})));
  }
  ASSERT_TRUE(sink->Drain(world.clock.Now() + std::chrono::seconds(20)));
}

TEST(LearnerLoop, TakesAndAcknowledgesRowsBeforeItHasRestored) {
  World world(100);
  world.Begin(SmallOptions(8))->Run();
  const auto loop = world.BeginUnrestored(SmallOptions(8));

  SendTo(world, 40);

  EXPECT_EQ(world.log.end(), 140);
  EXPECT_FALSE(loop->progress()) << "what former lives did is not known yet";
  EXPECT_EQ(world.weights->Latest(), nullptr);
  const std::int64_t pulse = loop->pulse();
  loop->Run();
  EXPECT_GT(loop->pulse(), pulse) << "who restores is alive";
  EXPECT_EQ(loop->progress()->updates, 8);
  EXPECT_GE(world.weights->Latest()->version.value, kVersionsPerLife);
}

// What was sampled is in the checkpoint; without it a hundred rows look like more than it allows.
TEST(LearnerLoop, GrantsCreditsBeforeItHasRestored) {
  World world(100);
  LearnerOptions options = SmallOptions(8);
  options.rate.slack = 20 * options.rate.samples_per_row;
  const auto loop = world.BeginUnrestored(options);
  const auto sink = world.source.MakeSink();
  const core::TimePoint deadline = world.clock.Now() + std::chrono::seconds(20);

  for (std::int64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(sink->Push(MakeTransition({.actor = 2, .sequence = i, .step = 0})));
    while (sink->status().acknowledged.value < i && world.clock.Now() < deadline)
      std::this_thread::yield();
    ASSERT_EQ(sink->status().acknowledged.value, i);
  }
}

// The machine died, and the log lost rows that the checkpoint knows. Others that come before the
// restore get their numbers, and are not what the checkpoint speaks of: what is learned is what a
// learner learns to which they come behind the restore.
TEST(LearnerLoop, DoesNotTakeRowsThatCameBeforeTheRestoreForThoseThatTheLogLost) {
  World before(60), after(60);
  for (World* world : {&before, &after}) {
    World knows_more(100);
    knows_more.Begin(SmallOptions(30))->Run();
    std::filesystem::copy(knows_more.folder / "checkpoints",
                          world->folder / "checkpoints",
                          std::filesystem::copy_options::recursive);
  }

  const auto early = before.BeginUnrestored(SmallOptions(50));
  SendTo(before, 40);
  early->Run();
  const auto late = after.Begin(SmallOptions(50));
  SendTo(after, 40);
  late->Run();

  EXPECT_EQ(AllValues(*before.weights->Latest()), AllValues(*after.weights->Latest()));
}

TEST(LearnerLoop, GoesOnFromTheCheckpointBeforeATornOne) {
  World world(100);
  world.Begin(SmallOptions(6))->Run();
  world.Begin(SmallOptions(9))->Run();
  std::filesystem::resize_file(
      world.folder / "checkpoints/checkpoint-000000000009/arrays.safetensors", 100);

  EXPECT_EQ(world.Begin(SmallOptions(9))->restored_updates(), 6);
}

TEST(LearnerLoop, TellsWhatDiffersFromTheCheckpointsConfiguration) {
  World world(100);
  world.Begin(SmallOptions(1), {"seed = 1", "learner.gamma = 0.9"})->Run();

  const auto loop = world.Begin(SmallOptions(1), {"seed = 1", "learner.gamma = 0.99"});

  EXPECT_EQ(loop->config_differences(), (std::vector<std::string>{"learner.gamma: 0.9 -> 0.99"}));
}

TEST(LearnerLoop, RefusesACheckpointOfAnotherNetworkAndRowsOfAnotherQuick) {
  World world(100);
  world.Begin(SmallOptions(1))->Run();
  LearnerOptions wider = SmallOptions(1);
  wider.algorithm.dqn.network.width = 16;
  LearnerOptions other_quick = SmallOptions(1);
  other_quick.num_features = 7;

  EXPECT_THROW(world.Begin(wider), core::ModelError);
  EXPECT_THROW(world.Begin(other_quick), core::ModelError);
}

TEST(LearnerLoop, WaitsForRowsAndLearnsFromThoseThatArriveUntilStopped) {
  World world(0);
  const auto loop = world.Begin(SmallOptions(0));
  Background run([&] { loop->Run(); });
  const auto sink = world.source.MakeSink();
  for (std::int64_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(sink->Push(MakeTransition({.sequence = i + 1,
                                           .episode = i / 4,
                                           .step = static_cast<int>(i % 4),
                                           .terminated = i % 4 == 3})));
  }
  ASSERT_TRUE(sink->Drain(world.clock.Now() + std::chrono::seconds(20)));
  ASSERT_NE(world.weights->WaitForFirst(world.clock.Now() + std::chrono::seconds(20)), nullptr);

  loop->RequestStop();
  run.Get();

  EXPECT_EQ(loop->progress()->rows, 40);
  EXPECT_EQ(world.log.end(), 40);
}

LearnerOptions OnPolicyOptions(std::int64_t max_updates) {
  LearnerOptions options = SmallOptions(max_updates);
  options.num_features = 4;
  options.algorithm.name = "ppo";
  options.algorithm.ppo.network.width = 8;
  options.algorithm.ppo.network.layers = 1;
  options.batch.relabel.enabled = false;
  options.batch.agreement_rows = false;
  options.rollout = {.rows = 30, .epochs = 2};
  return options;
}

TEST(LearnerLoop, OnPolicyItLearnsFromEachRowAFewTimesAndThenPublishes) {
  World world(0);
  const auto loop = world.Begin(OnPolicyOptions(6));
  const auto sink = world.source.MakeSink();
  for (std::int64_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(sink->Push(MakeTransition({.sequence = i + 1,
                                           .episode = i / 4,
                                           .step = static_cast<int>(i % 4),
                                           .terminated = i % 4 == 3})));
  }
  ASSERT_TRUE(sink->Drain(world.clock.Now() + std::chrono::seconds(20)));

  loop->Run();  // 16, 16 and 8 rows, twice.

  EXPECT_EQ(loop->progress()->updates, 6);
  EXPECT_EQ(loop->progress()->weights.value, 2);  // At the start, after the rollout, at the end.
  EXPECT_EQ(world.weights->Latest()->architecture, core::policy_network::kArchitecture);
}

// Another second has passed whenever it is asked.
class HastyClock final : public core::Clock {
 public:
  core::TimePoint Now() const override { return now_ += std::chrono::seconds(1); }

 private:
  mutable core::TimePoint now_{std::chrono::hours(1)};
};

// A learner of six updates with a checkpoint due after each.
struct CheckpointAfterEachUpdate {
  CheckpointAfterEachUpdate() {
    LearnerOptions options = SmallOptions(6);
    options.checkpoint_every = std::chrono::seconds(1);
    loop.emplace(
        options,
        LearnerLoop::Parts{
            world.log, world.source, weights, world.metrics, monitor::MakeNullLogger(), clock},
        world.folder / "checkpoints",
        std::vector<std::string>{});
    loop->Restore();
  }

  World world{100};
  const HastyClock clock;
  transport::InProcessWeightsChannel weights;
  std::optional<LearnerLoop> loop;
};

TEST(LearnerLoop, TrainsOnWhereTheDiskHasNoRoomForACheckpointAndSaysSoAtTheEnd) {
  CheckpointAfterEachUpdate writer;
  World& world = writer.world;
  LearnerLoop& loop = *writer.loop;

  {
    const testing::FileSizeLimit limit(100);
    EXPECT_THROW(loop.Run(), core::NoRoomError);
  }

  EXPECT_EQ(world.metrics.Sum("londi_learner_updates_total"), 6);
  EXPECT_EQ(world.metrics.Sum("londi_learner_checkpoints_failed_total"), 6);
  CheckpointStore store(world.folder / "checkpoints", 3, monitor::MakeNullLogger());
  EXPECT_EQ(store.ReadLatest()->updates, 0) << "the one from before the disk was full";
}

// Only a full disk may be waited for.
TEST(LearnerLoop, ACheckpointThatCannotBeWrittenForAnotherReasonEndsIt) {
  CheckpointAfterEachUpdate writer;
  World& world = writer.world;
  LearnerLoop& loop = *writer.loop;
  std::filesystem::remove_all(world.folder / "checkpoints");
  std::ofstream(world.folder / "checkpoints") << "in the way";

  EXPECT_THROW(loop.Run(), core::IoError);

  EXPECT_EQ(world.metrics.Sum("londi_learner_updates_total"), 1);
  EXPECT_EQ(world.metrics.Sum("londi_learner_checkpoints_failed_total"), 0);
}

// What a learner says that begins with this log.
std::string SaidOfTheLog(SegmentLog& log, const TempFolder& folder) {
  transport::InProcessTransitionChannel source;
  transport::InProcessWeightsChannel weights;
  monitor::Metrics metrics;
  core::SystemClock clock;
  std::ostringstream said;
  const auto logger = std::make_shared<spdlog::logger>(
      "learner", std::make_shared<spdlog::sinks::ostream_sink_mt>(said));
  const LearnerLoop loop(
      SmallOptions(1), {log, source, weights, metrics, logger, clock}, folder / "checkpoints", {});
  return said.str();
}

TEST(LearnerLoop, SaysWhatOpeningTheLogSetAside) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "log");
  std::ofstream(folder / "log/segment-000000000000000.log") << "";
  SegmentLog log(folder / "log", {});

  const std::string text = SaidOfTheLog(log, folder);

  EXPECT_NE(text.find("segment-000000000000000.log was set aside"), std::string::npos) << text;
  EXPECT_NE(text.find("why: it has no whole header"), std::string::npos) << text;
  EXPECT_NE(text.find("fix: "), std::string::npos) << text;
}

TEST(LearnerLoop, RestoresNothingFromALogWithADamagedRow) {
  const TempFolder folder;
  SegmentLog(folder / "log", {.segment_bytes = 1 << 20}).Append(Rows(1, 25'000));
  std::fstream(OnlySegment(folder / "log"), std::ios::binary | std::ios::in | std::ios::out)
      .seekp(4096 + 2 * 128 + 60)
      .put('\x55');
  SegmentLog log(folder / "log", {});
  transport::InProcessTransitionChannel source;
  transport::InProcessWeightsChannel weights;
  monitor::Metrics metrics;
  core::SystemClock clock;
  LearnerLoop loop(SmallOptions(1),
                   {log, source, weights, metrics, monitor::MakeNullLogger(), clock},
                   folder / "checkpoints",
                   {});

  EXPECT_THROW(loop.Restore(), core::IoError);

  EXPECT_EQ(weights.Latest(), nullptr);
}

TEST(LearnerLoop, SaysHowMuchOfATornRowOpeningTheLogCutOff) {
  const TempFolder folder;
  SegmentLog(folder / "log", {}).Append(Rows(1, 3));
  const auto file = std::filesystem::directory_iterator(folder / "log")->path();
  std::fstream(file, std::ios::binary | std::ios::in | std::ios::out)
      .seekp(4096 + 2 * 128 + 60)
      .put('\x55');
  SegmentLog log(folder / "log", {});
  ASSERT_EQ(log.end(), 2);

  const std::string text = SaidOfTheLog(log, folder);

  EXPECT_NE(text.find(" bytes behind the log's last whole row, 2, were cut off"), std::string::npos)
      << text;
}

TEST(LearnerLoop, ThePulseRisesWhereThereIsNothingToLearnAndStandsStillAfterTheEnd) {
  World world(0);
  const auto loop = world.Begin(SmallOptions(0));
  Background run([&] { loop->Run(); });

  while (loop->pulse() < 10) std::this_thread::yield();
  loop->RequestStop();
  run.Get();

  const std::int64_t last = loop->pulse();
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  EXPECT_EQ(loop->pulse(), last);
}

}  // namespace
}  // namespace londi::learner
