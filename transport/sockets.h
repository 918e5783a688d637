#pragma once

#include <memory>
#include <optional>
#include <zmq.hpp>

#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/peer_guard.h"
#include "transport/run_keys.h"

namespace londi::transport {

// How the processes of a run talk to each other; docs/decisions/0015-curve-keys.md.
enum class Security {
  kCurve,  // Encrypted, and only processes with the run's keys may connect.
  kNone,   // Neither: addresses of this machine only (127.0.0.0/8).
};

// Where the rows are that an actor has not handed over yet.
enum class SpoolKind {
  kMemory,  // They are lost with the actor.
  kDisk,    // In the run folder too: the actor's next life hands them over.
};

struct TransportOptions {
  Security security = Security::kCurve;
  SpoolKind spool = SpoolKind::kMemory;
};

// What all sockets of a process are made from: its ZeroMQ context (one I/O thread, enough for 1
// GB/s) and the rule who may connect. Thread-safe; outlives the sockets.
class Sockets {
 public:
  // Without keys everything is sent as it is, and the log says so.
  Sockets(const std::optional<RunKeys>& keys, monitor::Metrics& metrics, monitor::Logger logger);

  zmq::context_t& context() { return context_; }
  const std::optional<RunKeys>& keys() const { return keys_; }
  PeerGuard* guard() { return guard_.get(); }  // nullptr: no keys.

 private:
  const std::optional<RunKeys> keys_;
  zmq::context_t context_{1};
  std::unique_ptr<PeerGuard> guard_;
};

}  // namespace londi::transport
