#pragma once

#include <memory>

#include "transport/channel.h"
#include "transport/channel_context.h"

namespace londi::transport {

struct LmServerOptions {
  std::size_t max_waiting =
      4096;  // Requests that wait for Receive; more are refused with Retry::kElsewhere.
};

// A worker's LmServerChannel on a ROUTER socket, with one thread of its own. A destroyed server
// first sends the answers it was given (for at most the linger time); its clients take what is
// unanswered elsewhere.
class ZmqLmServer : public LmServerChannel {
 public:
  // What clients connect to; kLmEndpoint of the registration.
  virtual const std::string& endpoint() const = 0;
};

// Throws core::IoError when the interface cannot be bound.
std::unique_ptr<ZmqLmServer> MakeZmqLmServer(const ChannelContext& context,
                                             const LmServerOptions& options = {});

}  // namespace londi::transport
