#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
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
  // Runs `loop`, which returns once stopping() is true. After an exception that leaves it, which is
  // logged, `on_failure` frees those who wait for the channel, and ThrowIfFailed tells them.
  // `name` has at most 15 bytes. The members that `loop` uses must be constructed before this and
  // destroyed after it: declare it last.
  IoThread(std::string name,
           monitor::Logger logger,
           std::function<void(IoThread&)> loop,
           std::function<void()> on_failure);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Ends the current or the next Wait. Any thread. Costs a system call only if `loop` is waiting.
  void Wake();

  // What `loop` failed with, again: for calls that would find an empty channel, or a silent one.
  void ThrowIfFailed() const {
    if (failed_.load(std::memory_order_acquire)) std::rethrow_exception(failure_);
  }

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
  std::exception_ptr failure_;  // Set before failed_.
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

}  // namespace londi::transport
