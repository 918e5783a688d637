#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"

namespace londi::transport {

struct LmDispatcherOptions {
  // When every reachable worker has refused a request, it rests this long, twice as long each time.
  std::chrono::milliseconds first_pause{10};
  std::chrono::milliseconds max_pause{320};
};

// Decides which worker gets which request: the reachable one with the least outstanding work, not
// one that refused this request in the current round. Requests of a worker that is lost go back to
// the front of the line. Pure (time comes in as an argument), not thread-safe.
class LmDispatcher {
 public:
  using CallId = std::uint64_t;

  explicit LmDispatcher(LmDispatcherOptions options) : options_(options) {}

  // Workers, named by endpoint. Only reachable ones get requests; an unknown worker is unreachable.
  void SetReachable(const std::string& worker, bool reachable);
  void Remove(const std::string& worker) { SetReachable(worker, false); }
  std::size_t NumReachable() const { return workers_.size(); }

  // A request that costs about `work` (bytes of text).
  void Add(CallId call, double work);

  struct Assignment {
    CallId call = 0;
    std::string worker;
  };
  // The next request to send; it counts as sent. nullopt: nothing can be sent now.
  [[nodiscard]] std::optional<Assignment> Next(core::TimePoint now);

  // `worker` could not or would not take it: another one may. Ignored unless `worker` has the
  // request.
  void Refused(CallId call, const std::string& worker, core::TimePoint now);

  // Answered, or given up. Returns the worker that has the request now, if any.
  std::optional<std::string> Finish(CallId call);

  // What `worker` has now.
  std::vector<CallId> CallsOf(const std::string& worker) const;

  // When a resting request may be tried again; nullopt: none is resting, or nobody could take it.
  std::optional<core::TimePoint> NextRetry() const;

  double OutstandingWork(const std::string& worker) const;
  std::size_t NumWaiting() const { return waiting_.size(); }

 private:
  struct Call {
    double work = 0;
    std::string worker;                // Empty: waiting.
    std::set<std::string> refused_by;  // In the current round.
    core::TimePoint not_before{};
    int pauses = 0;
  };
  struct Worker {
    double work = 0;
    std::set<CallId> calls;
  };

  std::optional<std::string> PickWorker(const Call& call) const;
  void Rest(Call& call, core::TimePoint now);
  void Release(CallId id, Call& call);

  const LmDispatcherOptions options_;
  std::map<std::string, Worker> workers_;  // The reachable ones.
  std::unordered_map<CallId, Call> calls_;
  std::deque<CallId> waiting_;
};

}  // namespace londi::transport
