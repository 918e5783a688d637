#pragma once

#include <optional>
#include <thread>
#include <zmq.hpp>

#include "tests/bench/support/figures.h"
#include "transport/run_keys.h"

// The peer of what goes over ZeroMQ: bare libzmq over TCP on loopback.
namespace londi::bench {

using Keys = std::optional<transport::RunKeys>;

// Answers every message with `answer` bytes until it gets an empty one.
class BareEcho {
 public:
  BareEcho(const Keys& keys, std::size_t answer) : router_(context_, zmq::socket_type::router) {
    if (keys) {
      router_.set(zmq::sockopt::curve_server, true);
      router_.set(zmq::sockopt::curve_secretkey, keys->server.secret_key);
    }
    router_.bind("tcp://127.0.0.1:*");
    dealer_ = zmq::socket_t(own_, zmq::socket_type::dealer);
    if (keys) {
      dealer_.set(zmq::sockopt::curve_serverkey, keys->server.public_key);
      dealer_.set(zmq::sockopt::curve_publickey, keys->client.public_key);
      dealer_.set(zmq::sockopt::curve_secretkey, keys->client.secret_key);
    }
    dealer_.connect(router_.get(zmq::sockopt::last_endpoint));
    thread_ = std::thread([this, answer] { Serve(answer); });
  }
  ~BareEcho() {
    dealer_.send(zmq::message_t(), zmq::send_flags::none);
    thread_.join();
  }

  void Send(std::size_t bytes) { dealer_.send(zmq::message_t(bytes), zmq::send_flags::none); }
  void Receive() {
    zmq::message_t message;
    (void)dealer_.recv(message);
  }

 private:
  void Serve(std::size_t answer) {
    zmq::message_t from, message;
    while (router_.recv(from) && router_.recv(message) && message.size() > 0) {
      router_.send(from, zmq::send_flags::sndmore);
      router_.send(zmq::message_t(answer), zmq::send_flags::none);
    }
  }

  zmq::context_t context_, own_;
  zmq::socket_t router_, dealer_;
  std::thread thread_;
};

// Messages per second with `under_way` of them at once.
inline double BareRate(
    const Keys& keys, std::size_t bytes, std::size_t answer, int under_way, double s) {
  BareEcho echo(keys, answer);
  for (int i = 0; i < under_way; ++i) echo.Send(bytes);
  std::int64_t messages = 0;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < s) {
    for (int i = 0; i < 100; ++i, ++messages) {
      echo.Receive();
      echo.Send(bytes);
    }
  }
  const double rate = static_cast<double>(messages) / SecondsSince(begin);
  for (int i = 0; i < under_way; ++i) echo.Receive();
  return rate;
}

}  // namespace londi::bench
