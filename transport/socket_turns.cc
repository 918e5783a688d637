#include "transport/socket_turns.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace londi::transport {

SocketTurns::SocketTurns(std::string name,
                         monitor::Logger logger,
                         std::vector<WatchedSocket*> sockets,
                         std::function<Outlook()> round,
                         std::function<void()> on_failure,
                         std::chrono::milliseconds gap)
    : name_(std::move(name)),
      logger_(std::move(logger)),
      round_(std::move(round)),
      on_failure_(std::move(on_failure)),
      gap_(gap),
      descriptors_(1, pollfd{wake_.fd(), POLLIN, 0}) {
  SetSockets(std::move(sockets));
  resident_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    Reside();
  });
}

SocketTurns::~SocketTurns() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    wake_.Wake();
  }
  resident_wanted_.notify_one();
  resident_.join();
}

void SocketTurns::SetSockets(std::vector<WatchedSocket*> sockets) {
  sockets_ = std::move(sockets);
  descriptors_.resize(1);
  for (const WatchedSocket* watched : sockets_)
    descriptors_.push_back({watched->socket.get(zmq::sockopt::fd), POLLIN, 0});
}

bool SocketTurns::Visit(core::TimePoint deadline, const std::function<bool()>& done) {
  Lock lock(mutex_);
  visited_ = true;
  requested_ = true;
  if (occupied_) return false;
  wanted_ = false;
  Stay(lock, deadline, done);
  const int others = outlook_.waiting - (done() ? 0 : 1);
  if (others > 0 || requested_) {
    wanted_ = true;
    resident_wanted_.notify_one();
  }
  return true;
}

void SocketTurns::RequestRound() {
  const Lock lock(mutex_);
  requested_ = true;
  if (asleep_) {
    asleep_ = false;
    wake_.Wake();
  }
  if (occupied_) return;
  wanted_ = true;
  resident_wanted_.notify_one();
}

void SocketTurns::Reside() {
  Lock lock(mutex_);
  while (!stopping_) {
    visited_ = false;
    resident_wanted_.wait_for(lock, gap_, [&] { return stopping_ || (wanted_ && !occupied_); });
    if (occupied_ || (visited_ && !wanted_)) continue;
    if (failed_) return;
    wanted_ = false;
    Stay(lock, core::TimePoint::max(), [&] { return visited_ && outlook_.waiting <= 0; });
  }
  MakeRound(lock);
}

// Leaves only after a round that began after the last request.
void SocketTurns::Stay(Lock& lock, core::TimePoint deadline, const std::function<bool()>& done) {
  occupied_ = true;
  MakeRound(lock);
  while (!stopping_ && !failed_ && (requested_ || !done()) &&
         std::chrono::steady_clock::now() < deadline) {
    Sleep(lock, deadline);
    MakeRound(lock);
  }
  occupied_ = false;
}

void SocketTurns::MakeRound(Lock& lock) {
  requested_ = false;
  if (failed_) return;
  lock.unlock();
  try {
    outlook_ = round_();
  } catch (const std::exception& e) {
    logger_->error("thread={} failed, its channel closes: {}", name_, e.what());
    failed_ = true;
    on_failure_();
  }
  lock.lock();
}

bool SocketTurns::MayHaveInput() const {
  return std::ranges::any_of(sockets_, [](const WatchedSocket* w) { return w->may_have_input; });
}

void SocketTurns::Sleep(Lock& lock, core::TimePoint deadline) {
  if (requested_ || stopping_ || MayHaveInput()) return;
  asleep_ = true;
  lock.unlock();
  const std::chrono::milliseconds timeout = TimeUntil(std::min(deadline, outlook_.again));
  poll(descriptors_.data(), descriptors_.size(), static_cast<int>(timeout.count()));
  if (descriptors_[0].revents != 0) wake_.Clear();
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    sockets_[i]->may_have_input = descriptors_[i + 1].revents != 0;
  lock.lock();
  asleep_ = false;
}

}  // namespace londi::transport
