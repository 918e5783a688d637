#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "transport/sockets.h"

// Sockets of this project: always created through MakeSocket, used by one thread at a time, one
// part per message (plus the routing id that a ROUTER adds).
namespace londi::transport {

struct SocketOptions {
  std::chrono::milliseconds linger{500};  // How long closing waits for what is still to be sent.
  int high_water_mark = 100'000;  // Messages per peer; the protocols bound theirs well below.
  bool only_connected = false;    // Queue for established connections only (ZMQ_IMMEDIATE).
  bool conflate = false;          // Keep only the newest message (ZMQ_CONFLATE).
};

enum class SocketEnd {
  kBinds,     // Through a Listener (listener.h): proves to be the run's server, asks who connects.
  kConnects,  // Proves to be the run's client, talks to the run's server only.
  kInternal,  // Within this process.
};

// The one place where socket options are set, security included. ROUTER sockets report unreachable
// peers (ROUTER_MANDATORY) and let a reconnecting identity replace a half-open one
// (ROUTER_HANDOVER).
zmq::socket_t MakeSocket(Sockets& sockets,
                         zmq::socket_type type,
                         SocketEnd end,
                         const SocketOptions& options);

// Throws core::IoError when `endpoint` is malformed.
void Connect(zmq::socket_t& socket, const std::string& endpoint);

inline std::string_view View(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

// Messages to take from one socket before everything else is looked after, stopping included.
inline constexpr int kMaxBurst = 512;

// None of the following blocks.

struct RoutedMessage {
  std::string peer;     // Routing id, for TrySendTo.
  zmq::message_t body;  // Empty when the peer did not send exactly one part.
};
std::optional<RoutedMessage> TryReceiveRouted(zmq::socket_t& router);
std::optional<zmq::message_t> TryReceive(zmq::socket_t& socket);

// False: the peer is gone or its queue is full.
[[nodiscard]] bool TrySendTo(zmq::socket_t& router, const std::string& peer, std::string message);
// False: nobody is connected or the queue is full.
[[nodiscard]] bool TrySend(zmq::socket_t& socket, std::string message);

}  // namespace londi::transport
