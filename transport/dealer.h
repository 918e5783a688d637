#pragma once

#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "transport/zmq_socket.h"

namespace londi::transport {

// A DEALER socket connected to one peer, which knows whether the connection stands. Sends only
// while it does, so that nothing is parked at a dead peer. Reconnects by itself. One thread.
class Dealer {
 public:
  // Throws core::IoError when `endpoint` is malformed.
  Dealer(Sockets& sockets, const std::string& endpoint);
  ~Dealer();
  Dealer(const Dealer&) = delete;
  Dealer& operator=(const Dealer&) = delete;

  const std::string& endpoint() const { return endpoint_; }

  // What to wait for.
  zmq::socket_ref socket() const { return socket_; }
  zmq::socket_ref link() const { return link_; }

  enum class LinkEvent { kConnected, kLost };
  // What happened to the connection since the last call, oldest first.
  std::optional<LinkEvent> TakeLinkEvent();
  bool IsConnected() const { return connected_; }

  [[nodiscard]] bool TrySend(std::string message) {
    return transport::TrySend(socket_, std::move(message));
  }
  std::optional<zmq::message_t> TryReceive() { return transport::TryReceive(socket_); }

 private:
  const std::string endpoint_;
  mutable zmq::socket_t socket_;
  mutable zmq::socket_t link_;  // Delivers libzmq's events about socket_.
  bool connected_ = false;
};

}  // namespace londi::transport
