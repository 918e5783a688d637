#pragma once

#include <string>

#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/session.h"
#include "transport/sockets.h"

namespace londi::transport {

// What every ZeroMQ channel of a process is built from. The referenced objects outlive the
// channels; one Sockets serves the whole process.
struct ChannelContext {
  Sockets& sockets;
  SharedSession session;
  monitor::Metrics& metrics;
  monitor::Logger logger;
  std::string host =
      "127.0.0.1";  // Address of the interface to bind to; ports are the operating system's choice.
};

}  // namespace londi::transport
