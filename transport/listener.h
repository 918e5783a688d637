#pragma once

#include <string>
#include <zmq.hpp>

#include "transport/sockets.h"

namespace londi::transport {

// A socket that others connect to, on a port of the operating system's choice. One thread, apart
// from construction.
class Listener {
 public:
  // `host`: the address of one interface. Throws core::IoError when it is not one of this machine,
  // stands for all interfaces, or is reachable from elsewhere although `sockets` has no keys.
  Listener(Sockets& sockets, zmq::socket_type type, const std::string& host);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  zmq::socket_t& socket() { return socket_; }
  const std::string& endpoint() const { return endpoint_; }  // What to connect to.

 private:
  zmq::socket_t socket_;
  std::string endpoint_;
};

}  // namespace londi::transport
