#include "transport/sockets.h"

#include <spdlog/spdlog.h>

namespace londi::transport {

Sockets::Sockets(const std::optional<RunKeys>& keys,
                 monitor::Metrics& metrics,
                 monitor::Logger logger)
    : keys_(keys) {
  if (keys_) {
    guard_ =
        std::make_unique<PeerGuard>(context_, keys_->client.public_key, metrics, std::move(logger));
  } else {
    logger->warn(
        "transport.security is none: this process's sockets neither encrypt nor ask who connects; "
        "every user of this machine can reach them");
  }
}

}  // namespace londi::transport
