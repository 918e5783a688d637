#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "launch/child_process.h"
#include "launch/restart_policy.h"
#include "monitor/event_log.h"
#include "monitor/log.h"

namespace londi::launch {

// Starts the processes of a run, starts again those that fail, stops them in order. All from one
// thread, which must be main's (child_process.h).
class Supervisor {
 public:
  struct Parts {  // Outlive the supervisor.
    const core::Clock& clock;
    monitor::Logger logger;
    monitor::EventLog& events;
  };
  Supervisor(RestartOptions options, Parts parts);
  ~Supervisor();  // Kills what still runs.
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void Start(ChildSpec spec);

  // Reaps children, restarts those whose pause is over. A role that ends by itself without being
  // asked has failed too, whatever its status. Throws core::Error naming the role, how it ended and
  // the last lines of its output, when its budget is used up; core::ConfigError, when its exit is
  // hopeless.
  void Poll();
  // `pid`, if it is the process of the child `name`, has come so far that it works. A life of which
  // this is not said in time (RestartOptions::startup) hangs.
  void NoteWorking(std::string_view name, pid_t pid);
  // Whoever could tell who hangs is gone: all that run have to be noted anew, in the same time.
  void ForgetWorking();
  // Kills the child `name` if `pid` is its process: it is alive, but does not work. Poll treats it
  // as any that failed.
  void KillHung(std::string_view name, pid_t pid);
  // When Poll has something to do although no child ends; nullopt: nothing.
  std::optional<core::TimePoint> NextRestart() const;

  // Who did not end as it was asked to.
  struct Stopped {
    std::vector<std::string> killed;  // Not in time.
    std::vector<std::string> failed;  // With a failure: "learner: exit status 1".
    std::vector<std::string> absent;  // Failed before, and its next life had not begun to work.
  };
  // Asks the children whose name begins with `prefix` to end (SIGTERM), waits, kills what is left
  // at `deadline`. `wait` blocks until a signal or the given time (Signals::WaitUntil); returning
  // false from it cuts the waiting short. It may Poll for the other children; those asked to end
  // are not started again.
  Stopped Stop(std::string_view prefix,
               core::TimePoint deadline,
               const std::function<bool(core::TimePoint)>& wait);

  bool AllWork() const;  // NoteWorking was said of every child's process.
  int num_running() const;
  int num_restarts() const;
  // 0: not running. For tests and for people.
  pid_t Pid(std::string_view name) const;

 private:
  struct Child {
    ChildSpec spec;
    RestartPolicy policy;
    std::unique_ptr<ChildProcess> process;  // nullptr: waits for its restart, or was stopped.
    core::TimePoint started_at;
    core::TimePoint unknown_since;  // Has to work within RestartOptions::startup from here.
    std::optional<core::TimePoint> restart_at;
    bool works = false;     // NoteWorking.
    bool stopping = false;  // Asked to end.
    pid_t hung_pid = 0;     // The last one that was killed for it.
  };

  void Launch(Child& child);
  Child* Find(std::string_view name, pid_t pid);
  void KillHung(Child& child);
  void OnFailure(Child& child, const ChildExit& exit);

  const RestartOptions options_;
  const Parts parts_;
  std::vector<std::unique_ptr<Child>> children_;
};

// The last `lines` lines of a file; what can be read of it.
std::string LastLines(const std::filesystem::path& file, int lines);

}  // namespace londi::launch
