#pragma once

#include <mutex>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/io_thread.h"

namespace londi::transport {

// Domain that bound sockets name in their questions to the guard.
inline constexpr const char* kGuardDomain = "londi";

// Decides who may connect to the bound sockets of a process: a ZAP handler (rfc.zeromq.org/spec/27)
// that admits one client key. Everybody who is refused, there or earlier in the handshake, is
// counted in londi_refused_peers_total{reason} and logged at most every ten seconds per reason:
//   plain       speaks without encryption
//   server_key  does not know the run's public server key
//   client_key  is not the run's client
//   broken      speaks no ZMTP, or left in the middle of the handshake (plain peers may, too)
// Has a thread of its own. Outlives the sockets it watches. One per zmq::context_t, made before the
// first socket is bound.
class PeerGuard {
 public:
  // `client_key`: the public key that may connect, Z85.
  PeerGuard(zmq::context_t& context,
            const std::string& client_key,
            monitor::Metrics& metrics,
            monitor::Logger logger);
  PeerGuard(const PeerGuard&) = delete;
  PeerGuard& operator=(const PeerGuard&) = delete;

  // Also counts who fails in `socket`'s handshakes, until zmq_socket_monitor(socket, nullptr, 0)
  // ends it. Call it in the socket's thread before binding. Throws core::IoError.
  void Watch(zmq::socket_t& socket);

 private:
  class Refusals {
   public:
    Refusals(const char* reason, std::string why, monitor::Metrics& metrics);
    void Add(const std::string& where, spdlog::logger& logger);

   private:
    std::string why_;
    monitor::Counter count_;
    monitor::LogThrottle throttle_{std::chrono::seconds(10)};
  };

  void Run(IoThread& io);
  void AnswerQuestions();
  bool Admits(const std::vector<std::string>& question);
  // False: the watched socket is closed.
  bool TakeHandshakes(zmq::socket_t& link);

  zmq::context_t& context_;
  monitor::Logger logger_;
  const std::string client_key_;  // 32 bytes.
  Refusals plain_, server_key_, unknown_client_, broken_;
  zmq::socket_t questions_;
  std::vector<zmq::socket_t> links_;  // Deliver libzmq's events about the watched sockets.

  std::mutex mutex_;
  std::vector<zmq::socket_t> new_links_;  // Guarded by mutex_.

  IoThread io_;
};

}  // namespace londi::transport
