#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

#include "core/clock.h"
#include "launch/chaos_schedule.h"

namespace londi::launch {

// Whether `pid` is a child of this process: a number from a diary may be somebody else's by now.
bool IsOurChild(pid_t pid);

// What is left to do about an act that was begun.
struct ActUnderWay {
  core::TimePoint next;  // When `step` is to be called.
  // Does what is due and says when to call it again; nullopt: the act is over. TimePoint::max()
  // ends it at once.
  std::function<std::optional<core::TimePoint>(core::TimePoint now)> step;
};

// Does `act` to the child `pid`. nullopt: it did not hit (the process is gone, may not be traced,
// or has a full disk already). Acts without a length are over at once. One thread only.
std::optional<ActUnderWay> Perform(const ChaosAct& act, pid_t pid, core::TimePoint now);

}  // namespace londi::launch
