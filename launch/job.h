#pragma once

#include <functional>

#include "launch/progress_meter.h"

namespace londi::launch {

// A running training, wherever its roles live.
class Job {
 public:
  virtual ~Job() = default;  // Ends everything at once.

  // Keeps it going (restarts, failures); call it whenever a signal arrived and several times a
  // second. Throws core::Error when the job cannot go on.
  virtual void Poll() = 0;

  virtual ProgressSample Progress() = 0;

  // Whether all roles have begun to work: who is asked to end before leaves nothing behind.
  virtual bool Works() const { return true; }

  // Actors hand over their rows and end, then the learner writes its checkpoint and ends, then the
  // rest. Blocks, at most about the configured drain time per step; `hurry` returning true cuts
  // the waiting short. Throws core::Error, after all have ended, when an actor or the learner
  // failed at that, or the learner had to be killed or was not there.
  using Hurry = std::function<bool()>;
  virtual void Stop(const Hurry& hurry) = 0;
};

}  // namespace londi::launch
