#include "transport/zmq_socket.h"

#include "core/error.h"
#include "transport/codec.h"

namespace londi::transport {
namespace {

// Called by libzmq, in its thread. Has a name of its own for tests/sanitizers/tsan.supp.
void FreeSentMessage(void*, void* owned) { delete static_cast<std::string*>(owned); }

// A message that owns `bytes`, without copying them.
zmq::message_t Own(std::string bytes) {
  auto* owned = new std::string(std::move(bytes));
  return zmq::message_t(owned->data(), owned->size(), FreeSentMessage, owned);
}

[[noreturn]] void ThrowSocketError(const std::string& what, const zmq::error_t& error) {
  throw core::IoError({.what = what,
                       .why = std::string(error.what()) + ".",
                       .fix = "look at the address; for \"too many\" raise `ulimit -n`"});
}

// Reads the rest of a multipart message away. True if there was any.
bool SkipMoreParts(zmq::socket_t& socket, const zmq::message_t& last) {
  if (!last.more()) return false;
  zmq::message_t part;
  do {
    if (!socket.recv(part, zmq::recv_flags::dontwait)) break;
  } while (part.more());
  return true;
}

void Secure(zmq::socket_t& socket, SocketEnd end, const RunKeys& keys) {
  if (end == SocketEnd::kInternal) return;
  const KeyPair& own = end == SocketEnd::kBinds ? keys.server : keys.client;
  socket.set(zmq::sockopt::curve_publickey, own.public_key);
  socket.set(zmq::sockopt::curve_secretkey, own.secret_key);
  if (end == SocketEnd::kConnects) {
    socket.set(zmq::sockopt::curve_serverkey, keys.server.public_key);
    return;
  }
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::zap_domain, kGuardDomain);
}

}  // namespace

zmq::socket_t MakeSocket(Sockets& sockets,
                         zmq::socket_type type,
                         SocketEnd end,
                         const SocketOptions& options) {
  try {
    zmq::socket_t socket(sockets.context(), type);
    if (sockets.keys()) Secure(socket, end, *sockets.keys());
    socket.set(zmq::sockopt::linger, static_cast<int>(options.linger.count()));
    socket.set(zmq::sockopt::maxmsgsize, kMaxMessageBytes);
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::reconnect_ivl, 50);
    socket.set(zmq::sockopt::reconnect_ivl_max, 2000);
    socket.set(zmq::sockopt::sndhwm, options.high_water_mark);
    socket.set(zmq::sockopt::rcvhwm, options.high_water_mark);
    if (options.only_connected) socket.set(zmq::sockopt::immediate, 1);
    if (options.conflate) socket.set(zmq::sockopt::conflate, 1);
    if (type == zmq::socket_type::router) {
      socket.set(zmq::sockopt::router_mandatory, 1);
      socket.set(zmq::sockopt::router_handover, 1);
    }
    return socket;
  } catch (const zmq::error_t& error) {
    ThrowSocketError("cannot open a socket", error);
  }
}

void Connect(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.connect(endpoint);
  } catch (const zmq::error_t& error) {
    ThrowSocketError("cannot connect to \"" + endpoint + "\"", error);
  }
}

std::optional<RoutedMessage> TryReceiveRouted(zmq::socket_t& router) {
  zmq::message_t peer;
  if (!router.recv(peer, zmq::recv_flags::dontwait)) return std::nullopt;
  RoutedMessage message{.peer = peer.to_string(), .body = {}};
  if (!peer.more()) return message;
  if (!router.recv(message.body, zmq::recv_flags::dontwait)) return message;
  if (SkipMoreParts(router, message.body)) message.body = zmq::message_t();
  return message;
}

std::optional<zmq::message_t> TryReceive(zmq::socket_t& socket) {
  zmq::message_t message;
  if (!socket.recv(message, zmq::recv_flags::dontwait)) return std::nullopt;
  if (SkipMoreParts(socket, message)) message = zmq::message_t();
  return message;
}

bool TrySendTo(zmq::socket_t& router, const std::string& peer, std::string message) {
  try {
    if (!router.send(zmq::buffer(peer), zmq::send_flags::dontwait | zmq::send_flags::sndmore))
      return false;
    return router.send(Own(std::move(message)), zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return false;
    throw;
  }
}

bool TrySend(zmq::socket_t& socket, std::string message) {
  return socket.send(Own(std::move(message)), zmq::send_flags::dontwait).has_value();
}

}  // namespace londi::transport
