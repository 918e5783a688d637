#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "configs/run_config.h"

namespace londi::launch {

// What is done to one role at one time.
struct ChaosAct {
  enum class Kind {
    kKill,       // SIGKILL.
    kPause,      // SIGSTOP, and SIGCONT after `length`: a slow node.
    kHang,       // SIGSTOP for good: the supervisor has to notice.
    kPartition,  // Nothing reaches the network or comes from it for `length`.
    kDelay,      // For `length` what is sent either way is up to 0.1 s late.
    kDiskFull,   // The learner only: for `length` no file grows beyond 1 MiB, so no log segment.
  };
  std::chrono::milliseconds at{0};  // Since the attack began.
  std::string role;                 // E.g. "actor.0".
  Kind kind = Kind::kKill;
  std::chrono::milliseconds length{0};  // 0: for good (kKill, kHang).
};

const char* ChaosKindName(ChaosAct::Kind kind);  // E.g. "disk_full".

struct ChaosOptions {
  std::uint64_t seed = 1;
  std::chrono::seconds duration{60};
  std::chrono::milliseconds every{5000};  // Mean time between two acts; >= 100 ms.
  void Validate() const;                  // Throws core::ConfigError.

  // When the acts end: the last fifth is left in peace, so that what was restarted works again.
  std::chrono::milliseconds peace() const { return std::chrono::milliseconds(duration) * 4 / 5; }
};

// The roles that a run of processes has.
std::vector<std::string> RolesOf(const configs::RunConfig& config);

// The same acts for the same arguments, in order of time, all before `peace`. The coordinator is
// never hung: who notices hung roles is itself.
std::vector<ChaosAct> MakeChaosSchedule(const ChaosOptions& options,
                                        const std::vector<std::string>& roles);

}  // namespace londi::launch
