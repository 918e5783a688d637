#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/transition.h"
#include "learner/replay/disk_calls.h"
#include "learner/replay/segment_log.h"
#include "tests/support/transitions.h"

// What the tests of the segment log share.
namespace londi::learner {

inline constexpr SegmentLogOptions kSmallOnDisk{.segment_bytes = 1 << 20,
                                                .durability = Durability::kDisk};

// Sequences `first` and the next ones of one stream.
inline std::vector<core::Transition> Rows(std::int64_t first,
                                          std::int64_t count,
                                          std::int64_t actor = 0) {
  std::vector<core::Transition> rows;
  for (std::int64_t i = first; i < first + count; ++i)
    rows.push_back(testing::MakeTransition({.actor = actor, .sequence = i}));
  return rows;
}

// For tests that open many logs.
inline DiskCalls WithoutSyncs() {
  DiskCalls disk;
  disk.sync_data = disk.sync_all = [](int) { return 0; };
  return disk;
}

inline std::filesystem::path OnlySegment(const std::filesystem::path& folder) {
  return folder / "segment-000000000000000.log";
}

}  // namespace londi::learner
