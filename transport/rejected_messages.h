#pragma once

#include <string>

#include "core/error.h"
#include "monitor/log.h"
#include "monitor/metrics.h"

namespace londi::transport {

// What becomes of bytes that are no valid message: counted in
// londi_rejected_messages_total{channel}, logged at most every ten seconds. One thread.
class RejectedMessages {
 public:
  RejectedMessages(std::string channel, monitor::Metrics& metrics, monitor::Logger logger)
      : channel_(std::move(channel)),
        logger_(std::move(logger)),
        count_(metrics.GetCounter("londi_rejected_messages_total",
                                  "Messages that were not valid",
                                  {{"channel", channel_}})) {}

  void Add(const core::ProtocolError& error) {
    count_.Increment();
    if (const auto held_back = throttle_.Admit(std::chrono::steady_clock::now())) {
      logger_->warn("channel={} rejected a message ({} more since the last report): {}",
                    channel_,
                    *held_back,
                    error.text().why);
    }
  }

 private:
  std::string channel_;
  monitor::Logger logger_;
  monitor::Counter count_;
  monitor::LogThrottle throttle_{std::chrono::seconds(10)};
};

}  // namespace londi::transport
