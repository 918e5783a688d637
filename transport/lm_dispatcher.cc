#include "transport/lm_dispatcher.h"

#include <algorithm>

namespace londi::transport {

void LmDispatcher::SetReachable(const std::string& worker, bool reachable) {
  if (reachable) {
    workers_.try_emplace(worker);
    return;
  }
  const auto lost = workers_.find(worker);
  if (lost == workers_.end()) return;
  // Ids grow with time: pushing them to the front from the newest to the oldest keeps the order of
  // arrival.
  for (auto id = lost->second.calls.rbegin(); id != lost->second.calls.rend(); ++id) {
    calls_.at(*id).worker.clear();
    waiting_.push_front(*id);
  }
  workers_.erase(lost);
}

void LmDispatcher::Add(CallId call, double work) {
  calls_.emplace(call, Call{.work = work});
  waiting_.push_back(call);
}

std::optional<LmDispatcher::Assignment> LmDispatcher::Next(core::TimePoint now) {
  if (workers_.empty()) return std::nullopt;
  for (auto id = waiting_.begin(); id != waiting_.end(); ++id) {
    Call& call = calls_.at(*id);
    if (call.not_before > now) continue;
    const std::optional<std::string> picked = PickWorker(call);
    if (!picked) {
      Rest(call, now);
      continue;
    }
    call.worker = *picked;
    Worker& worker = workers_.at(*picked);
    worker.work += call.work;
    worker.calls.insert(*id);
    Assignment assignment{*id, *picked};
    waiting_.erase(id);
    return assignment;
  }
  return std::nullopt;
}

std::optional<std::string> LmDispatcher::PickWorker(const Call& call) const {
  const std::string* best = nullptr;
  double least = 0;
  for (const auto& [name, worker] : workers_) {
    if (call.refused_by.count(name) > 0) continue;
    if (best == nullptr || worker.work < least) {
      best = &name;
      least = worker.work;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

void LmDispatcher::Rest(Call& call, core::TimePoint now) {
  call.refused_by.clear();
  const auto pause = options_.first_pause * (1 << std::min(call.pauses, 16));
  call.not_before = now + std::min<core::Duration>(pause, options_.max_pause);
  ++call.pauses;
}

void LmDispatcher::Refused(CallId id, const std::string& worker, core::TimePoint now) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second.worker != worker) return;
  Release(id, found->second);
  found->second.refused_by.insert(worker);
  if (!PickWorker(found->second)) Rest(found->second, now);
  waiting_.push_front(id);
}

std::optional<std::string> LmDispatcher::Finish(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return std::nullopt;
  std::optional<std::string> worker;
  if (found->second.worker.empty()) {
    std::erase(waiting_, id);
  } else {
    worker = found->second.worker;
    Release(id, found->second);
  }
  calls_.erase(found);
  return worker;
}

void LmDispatcher::Release(CallId id, Call& call) {
  Worker& worker = workers_.at(call.worker);
  worker.calls.erase(id);
  worker.work = worker.calls.empty() ? 0 : worker.work - call.work;  // No rounding errors pile up.
  call.worker.clear();
}

std::vector<LmDispatcher::CallId> LmDispatcher::CallsOf(const std::string& worker) const {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return {};
  return {found->second.calls.begin(), found->second.calls.end()};
}

std::optional<core::TimePoint> LmDispatcher::NextRetry() const {
  if (workers_.empty()) return std::nullopt;  // A worker that comes is an event, not a time.
  std::optional<core::TimePoint> next;
  for (const CallId id : waiting_) {
    const core::TimePoint ready = calls_.at(id).not_before;
    if (ready == core::TimePoint{}) continue;
    if (!next || ready < *next) next = ready;
  }
  return next;
}

double LmDispatcher::OutstandingWork(const std::string& worker) const {
  const auto found = workers_.find(worker);
  return found == workers_.end() ? 0 : found->second.work;
}

}  // namespace londi::transport
