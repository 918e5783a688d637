#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "configs/run_config.h"
#include "launch/run_folder.h"
#include "learner/replay/stored_row.h"

namespace londi::launch {

// What must hold for the rows of a log, whatever happened to the run. Feed it all of them in order.
//   - each row of a stream (actor, incarnation) once, without gaps, from row 1 on
//   - no budget below 0, no activation that costs more than is left, and what each costs taken off
//   - within an episode, weights that only get newer
// Pure, not thread-safe.
class RowInvariants {
 public:
  // `may_begin_late`: the log has dropped its oldest rows, so streams may begin with any row.
  explicit RowInvariants(bool may_begin_late) : may_begin_late_(may_begin_late) {}

  void Add(const learner::StoredRow& row);

  // At most the first ten, with the row's number.
  const std::vector<std::string>& violations() const { return violations_; }
  std::int64_t num_violations() const { return num_violations_; }
  std::int64_t num_rows() const { return num_rows_; }
  // Last sequence of each stream.
  const std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>& streams() const {
    return last_sequence_;
  }

 private:
  struct EpisodeSoFar {
    std::int32_t step = 0;
    std::int32_t remaining = 0;
    std::int32_t spent = 0;
    std::int64_t weights = 0;
  };
  void CheckSequence(const learner::StoredRow& row);
  void CheckBudget(const learner::StoredRow& row, const EpisodeSoFar* before);
  void Violate(const learner::StoredRow& row, const std::string& what);

  const bool may_begin_late_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> last_sequence_;
  std::map<std::pair<std::pair<std::int64_t, std::int64_t>, std::int64_t>, EpisodeSoFar> open_;
  std::vector<std::string> violations_;
  std::int64_t num_violations_ = 0;
  std::int64_t num_rows_ = 0;
};

struct InvariantReport {
  std::int64_t rows = 0;
  std::int64_t streams = 0;
  std::vector<std::string> violations;  // Empty: all hold.
};

// Checks an ended run: its rows, of which there must be some, or nothing was put to the test; that
// what those actors have decided that left in peace is in the log, and what the others have decided
// at least in their spool where that is on disk; the metrics (no budget violation
// counted, no acknowledged row lost, weights of every actor monotone); that no process of the run
// is left. Throws core::IoError when the log cannot be read.
InvariantReport CheckInvariants(const RunFolder& folder, const configs::RunConfig& config);

}  // namespace londi::launch
