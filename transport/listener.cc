#include "transport/listener.h"

#include "core/error.h"
#include "transport/zmq_socket.h"

namespace londi::transport {
namespace {

[[noreturn]] void ThrowCannotBind(const std::string& host, std::string why) {
  throw core::IoError({.what = "cannot bind to a port of " + host,
                       .why = std::move(why),
                       .fix = "use the address of one interface of this machine, e.g. 127.0.0.1; "
                              "for \"too many\" raise `ulimit -n`"});
}

std::string BindToFreePort(zmq::socket_t& socket, const std::string& host) {
  try {
    socket.bind("tcp://" + host + ":0");
    return socket.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& error) {
    ThrowCannotBind(host, std::string(error.what()) + ".");
  }
}

}  // namespace

Listener::Listener(Sockets& sockets, zmq::socket_type type, const std::string& host)
    : socket_(MakeSocket(sockets, type, SocketEnd::kBinds, {})) {
  if (sockets.guard() != nullptr) sockets.guard()->Watch(socket_);
  endpoint_ = BindToFreePort(socket_, host);
  if (endpoint_.starts_with("tcp://0.0.0.0:")) {
    ThrowCannotBind(host, "it stands for every interface of this machine.");
  }
  if (!sockets.keys() && !endpoint_.starts_with("tcp://127.")) {
    ThrowCannotBind(host, "other machines reach it, and without keys everybody could connect.");
  }
}

Listener::~Listener() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

}  // namespace londi::transport
