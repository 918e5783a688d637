#include "transport/dealer.h"

#include <cstring>

#include "core/error.h"

namespace londi::transport {
namespace {

std::string MonitorName(const void* owner) {
  return "inproc://link-" + std::to_string(reinterpret_cast<std::uintptr_t>(owner));
}

}  // namespace

Dealer::Dealer(Sockets& sockets, const std::string& endpoint)
    : endpoint_(endpoint),
      socket_(MakeSocket(
          sockets, zmq::socket_type::dealer, SocketEnd::kConnects, {.only_connected = true})),
      link_(MakeSocket(sockets,
                       zmq::socket_type::pair,
                       SocketEnd::kInternal,
                       {.linger = std::chrono::milliseconds(0)})) {
  const std::string monitor = MonitorName(socket_.handle());
  if (zmq_socket_monitor(socket_.handle(),
                         monitor.c_str(),
                         ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0) {
    throw core::IoError({.what = "cannot watch the connection to " + endpoint,
                         .why = std::string(zmq_strerror(zmq_errno())) + ".",
                         .fix = "raise `ulimit -n`"});
  }
  Connect(link_, monitor);
  Connect(socket_, endpoint);
}

Dealer::~Dealer() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

std::optional<Dealer::LinkEvent> Dealer::TakeLinkEvent() {
  zmq::message_t event;
  if (!link_.recv(event, zmq::recv_flags::dontwait)) return std::nullopt;
  zmq::message_t address;  // The second part.
  if (event.more() && !link_.recv(address, zmq::recv_flags::dontwait)) return std::nullopt;
  std::uint16_t number = 0;
  std::memcpy(&number, event.data(), sizeof number);
  connected_ = number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
  return connected_ ? LinkEvent::kConnected : LinkEvent::kLost;
}

}  // namespace londi::transport
