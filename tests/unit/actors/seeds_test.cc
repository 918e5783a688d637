#include "actors/seeds.h"

#include <gtest/gtest.h>

#include <set>

namespace londi::actors {
namespace {

TEST(TrainingSeed, IsNeverOneThatIsEvaluatedTunedOrFinetunedOn) {
  for (std::int64_t episode = 0; episode < 5000; ++episode) {
    const std::uint64_t seed = TrainingSeed(static_cast<std::uint64_t>(episode % 7),
                                            core::ActorId(episode % 3),
                                            core::Incarnation(1),
                                            core::EpisodeId(episode));
    ASSERT_GE(seed, kFirstTrainingSeed);
    ASSERT_LT(seed, std::uint64_t{1} << 53);  // Exact in JSON.
  }
}

TEST(TrainingSeed, DiffersByRunActorLifeAndEpisode) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t run = 0; run < 3; ++run) {
    for (std::int64_t actor = 0; actor < 4; ++actor) {
      for (std::int64_t life = 1; life < 4; ++life) {
        for (std::int64_t episode = 0; episode < 50; ++episode) {
          seeds.insert(TrainingSeed(
              run, core::ActorId(actor), core::Incarnation(life), core::EpisodeId(episode)));
        }
      }
    }
  }
  EXPECT_EQ(seeds.size(), 3u * 4 * 3 * 50);
}

TEST(Seeds, TheRangesFollowOneAnother) {
  EXPECT_EQ(kFirstEvaluationSeed + kNumEvaluationSeeds, kFirstCalibrationSeed);
  EXPECT_EQ(kFirstCalibrationSeed + kNumCalibrationSeeds, kFirstFinetuningSeed);
  EXPECT_LT(kFirstFinetuningSeed, kFirstTrainingSeed);
}

}  // namespace
}  // namespace londi::actors
