#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/ids.h"
#include "launch/run_folder.h"
#include "transport/registry_types.h"

namespace londi::launch {

// Adds up what all processes of a run have done, those that are gone included: each life of a
// process (name, incarnation) counts for itself, from 0. Pure, not thread-safe.
class ProgressTotals {
 public:
  // The newest counters of one life; they replace the older ones.
  void Update(const std::string& name,
              core::Incarnation incarnation,
              const transport::ProgressCounters& counters);

  // Sum of a counter over all lives of the members whose name begins with `prefix`.
  std::int64_t Sum(std::string_view prefix, const std::string& counter) const;
  // The counter of the newest life of each such member: the smallest and the largest; 0 without.
  std::pair<std::int64_t, std::int64_t> Range(std::string_view prefix,
                                              const std::string& counter) const;

  std::string ToJson() const;
  // What ToJson wrote. Throws core::IoError when it is something else.
  static ProgressTotals FromJson(const std::string& json);

 private:
  std::map<std::pair<std::string, std::int64_t>, transport::ProgressCounters> lives_;
};

// What the run's progress file says; nothing when there is none yet. Throws as FromJson.
ProgressTotals ReadTotals(const RunFolder& folder);

// The counters that roles report.
namespace counter {
inline constexpr const char* kDecisions = "decisions";
inline constexpr const char* kBoundaryDecisions = "boundary_decisions";  // Of these: no rows.
inline constexpr const char* kEpisodes = "episodes";
inline constexpr const char* kSuccesses = "successes";
inline constexpr const char* kActivations = "activations";
inline constexpr const char* kWeights = "weights";  // Version acted with, respectively published.
inline constexpr const char* kUpdates = "updates";
inline constexpr const char* kRows = "rows";
inline constexpr const char* kRequests = "requests";
inline constexpr const char* kBatches = "batches";
inline constexpr const char* kFailedEpisodes = "failed_episodes";
inline constexpr const char* kViolations = "budget_violations";
}  // namespace counter

}  // namespace londi::launch
