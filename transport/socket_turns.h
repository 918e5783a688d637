#pragma once

#include <poll.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "core/clock.h"
#include "monitor/log.h"
#include "transport/wake_fd.h"

namespace londi::transport {

// A socket at which somebody may sleep.
struct WatchedSocket {
  zmq::socket_ref socket;
  // The socket's descriptor tells of changes only, and any use of the socket may take the news
  // away. So: set when the descriptor tells something and after each sending, cleared by finding
  // the socket empty; nobody sleeps while it is set.
  bool may_have_input = true;
};

// Who is at a channel's sockets: one thread at a time. Whoever waits for what they bring goes there
// itself, so that no other thread has to be woken on the way of its message. Who finds somebody
// there waits elsewhere, and gets what that one brings. A thread of the channel's own, the
// resident, is there while nobody waits, or several do.
//
// libzmq lets a socket pass from thread to thread with a full fence between them: the mutex below.
class SocketTurns {
 public:
  struct Outlook {
    core::TimePoint again;  // The next round is due by then, whatever arrives.
    int waiting = 0;  // Threads that wait for what the sockets bring, who made the round included.
  };
  // The resident leaves the sockets to visitors until none has come for so long. To wake it for
  // every gap between two of them would cost what their turns save.
  static constexpr std::chrono::milliseconds kGap{20};

  // `round` does what was asked of the channel, takes what the sockets have and sends what is to be
  // sent, without blocking; only who is at the sockets calls it. An exception that leaves it is
  // logged and ends the rounds; `on_failure` then closes the channel. `name`, of the resident, has
  // at most 15 bytes. The members that `round` uses must be constructed before this and destroyed
  // after it: declare it last. Destruction makes a last round.
  SocketTurns(std::string name,
              monitor::Logger logger,
              std::vector<WatchedSocket*> sockets,
              std::function<Outlook()> round,
              std::function<void()> on_failure,
              std::chrono::milliseconds gap = kGap);
  ~SocketTurns();
  SocketTurns(const SocketTurns&) = delete;
  SocketTurns& operator=(const SocketTurns&) = delete;

  // For `round`: what to wait for from now on; outlives the next call.
  void SetSockets(std::vector<WatchedSocket*> sockets);

  // Makes rounds, one at least, until `done` (asked between them) or `deadline`. False: somebody
  // else is at the sockets.
  [[nodiscard]] bool Visit(core::TimePoint deadline, const std::function<bool()>& done);

  // Something was asked of the channel: there will be a round that begins after this call.
  void RequestRound();

 private:
  using Lock = std::unique_lock<std::mutex>;

  void Reside();
  void Stay(Lock& lock, core::TimePoint deadline, const std::function<bool()>& done);
  void MakeRound(Lock& lock);
  void Sleep(Lock& lock, core::TimePoint deadline);
  bool MayHaveInput() const;

  const std::string name_;
  const monitor::Logger logger_;
  const std::function<Outlook()> round_;
  const std::function<void()> on_failure_;
  const std::chrono::milliseconds gap_;
  WakeFd wake_;  // Of who sleeps at the sockets.

  std::mutex mutex_;
  std::condition_variable resident_wanted_;
  // Guarded by mutex_.
  bool stopping_ = false;
  bool occupied_ = false;   // Somebody is at the sockets, ...
  bool asleep_ = false;     // ... and sleeps there, not woken yet.
  bool requested_ = false;  // A round, since the last one began.
  bool wanted_ = false;     // The resident.
  bool visited_ = false;    // By others, since the resident looked last.
  // Of who is at the sockets.
  std::vector<WatchedSocket*> sockets_;
  std::vector<pollfd> descriptors_;  // wake_, then those of sockets_.
  Outlook outlook_{core::TimePoint::max()};
  bool failed_ = false;

  std::thread resident_;
};

}  // namespace londi::transport
