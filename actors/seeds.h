#pragma once

#include <cstdint>

#include "actors/random.h"
#include "core/ids.h"

// Which episodes are used for what. The ranges are disjoint, so that nothing is ever evaluated on
// an episode that something was trained or tuned on:
//
//          0 ..    899,999   evaluation: the unseen episodes of every published number
//    900,000 ..    999,999   calibration of thresholds and rates
//  1,000,000 ..   2^31 - 1   finetuning of LMs: demonstrations, corrections, validation
//       2^31 ..   2^31+2^52  training of the Switcher
namespace londi::actors {

inline constexpr std::uint64_t kFirstEvaluationSeed = 0;
inline constexpr std::uint64_t kFirstCalibrationSeed = 900'000;
inline constexpr std::uint64_t kFirstFinetuningSeed = 1'000'000;
inline constexpr std::uint64_t kFirstTrainingSeed = std::uint64_t{1} << 31;

inline constexpr std::uint64_t kNumEvaluationSeeds = kFirstCalibrationSeed - kFirstEvaluationSeed;
inline constexpr std::uint64_t kNumCalibrationSeeds = kFirstFinetuningSeed - kFirstCalibrationSeed;

// The seed of one training episode. A restarted actor (a new incarnation) does not repeat episodes.
// Stays below 2^53, so that it survives JSON.
constexpr std::uint64_t TrainingSeed(std::uint64_t run_seed,
                                     core::ActorId actor,
                                     core::Incarnation incarnation,
                                     core::EpisodeId episode) {
  const std::uint64_t mixed = MixWords({run_seed,
                                        static_cast<std::uint64_t>(actor.value),
                                        static_cast<std::uint64_t>(incarnation.value),
                                        static_cast<std::uint64_t>(episode.value)});
  return kFirstTrainingSeed + (mixed >> 12);
}

}  // namespace londi::actors
