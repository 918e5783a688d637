#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "core/clock.h"
#include "monitor/log.h"
#include "transport/wake_fd.h"

namespace londi::transport {

// The thread that owns a channel's sockets. Other threads hand it work through the channel's own
// queues and Wake() it.
class IoThread {
 public:
  // Runs `loop`, which returns once stopping() is true. An exception that leaves it is logged and
  // passed to `on_failure`: the channel closes. `name` has at most 15 bytes. The members that
  // `loop` uses must be constructed before this and destroyed after it: declare it last.
  IoThread(std::string name,
           monitor::Logger logger,
           std::function<void(IoThread&)> loop,
           std::function<void()> on_failure);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Ends the current or the next Wait. Any thread. Costs a system call only if `loop` is waiting.
  void Wake();

  bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  // For `loop`: blocks until a socket is readable, Wake() was called or `deadline` has passed. It
  // need not look at the sockets, so look at all of them afterwards.
  void Wait(std::span<const zmq::socket_ref> readable, core::TimePoint deadline);

 private:
  enum class State : std::uint8_t {
    kWorking,
    kCalled,   // Working, and Wait is to return at once.
    kWaiting,  // Or about to; Wake must write to wake_.
  };

  WakeFd wake_;
  std::atomic<State> state_{State::kWorking};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace londi::transport
