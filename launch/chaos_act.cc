#include "launch/chaos_act.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "launch/network_hold.h"

namespace londi::launch {
namespace {

using std::chrono::milliseconds;

// A delay holds everything for so long, again and again, and lets it pass for a moment.
constexpr milliseconds kLate{100};
constexpr milliseconds kPass{10};

// A dead process cannot be reaped before its held threads were looked at.
constexpr milliseconds kLookEvery{50};

// No file of the learner may grow beyond it; a segment of the log (1 MiB or more) cannot be made.
constexpr rlim_t kFullAt = (1 << 20) - 1;

std::optional<ActUnderWay> Once(bool hit) {
  if (!hit) return std::nullopt;
  return ActUnderWay{core::TimePoint::min(), [](core::TimePoint) { return std::nullopt; }};
}

std::optional<ActUnderWay> Pause(pid_t pid, core::TimePoint until) {
  if (kill(pid, SIGSTOP) != 0) return std::nullopt;
  return ActUnderWay{until, [pid](core::TimePoint) -> std::optional<core::TimePoint> {
                       if (IsOurChild(pid)) kill(pid, SIGCONT);
                       return std::nullopt;
                     }};
}

std::optional<ActUnderWay> FillDisk(pid_t pid, core::TimePoint until) {
  rlimit before{};
  if (prlimit(pid, RLIMIT_FSIZE, nullptr, &before) != 0) return std::nullopt;
  // Full already, by an act under way: its limit would be what this act leaves behind.
  if (before.rlim_cur <= kFullAt) return std::nullopt;
  const rlimit full{kFullAt, before.rlim_max};
  if (prlimit(pid, RLIMIT_FSIZE, &full, nullptr) != 0) return std::nullopt;
  return ActUnderWay{until, [=](core::TimePoint) -> std::optional<core::TimePoint> {
                       if (IsOurChild(pid)) prlimit(pid, RLIMIT_FSIZE, &before, nullptr);
                       return std::nullopt;
                     }};
}

std::optional<ActUnderWay> Partition(pid_t pid, core::TimePoint until, core::TimePoint now) {
  const std::shared_ptr<NetworkHold> hold = NetworkHold::Of(pid);
  if (!hold) return std::nullopt;
  hold->Hold();
  return ActUnderWay{now + kLookEvery, [=](core::TimePoint at) -> std::optional<core::TimePoint> {
                       if (at >= until || !hold->AnyLeft()) return std::nullopt;
                       return std::min(until, at + kLookEvery);
                     }};
}

std::optional<ActUnderWay> Delay(pid_t pid, core::TimePoint until, core::TimePoint now) {
  const std::shared_ptr<NetworkHold> hold = NetworkHold::Of(pid);
  if (!hold) return std::nullopt;
  hold->Hold();
  return ActUnderWay{
      now + kLate, [=, holds = true](core::TimePoint at) mutable -> std::optional<core::TimePoint> {
        if (at >= until || !hold->AnyLeft()) return std::nullopt;
        holds ? hold->LetPass() : hold->Hold();
        holds = !holds;
        return at + (holds ? kLate : kPass);
      }};
}

}  // namespace

bool IsOurChild(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(stat), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || text.size() < name_end + 4) return false;
  return std::atoll(text.c_str() + name_end + 4) == getpid();
}

std::optional<ActUnderWay> Perform(const ChaosAct& act, pid_t pid, core::TimePoint now) {
  const core::TimePoint until = now + act.length;
  switch (act.kind) {
    case ChaosAct::Kind::kKill:
      return Once(kill(pid, SIGKILL) == 0);
    case ChaosAct::Kind::kPause:
      return Pause(pid, until);
    case ChaosAct::Kind::kHang:
      return Once(kill(pid, SIGSTOP) == 0);
    case ChaosAct::Kind::kPartition:
      return Partition(pid, until, now);
    case ChaosAct::Kind::kDelay:
      return Delay(pid, until, now);
    case ChaosAct::Kind::kDiskFull:
      return FillDisk(pid, until);
  }
  return std::nullopt;
}

}  // namespace londi::launch
