#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "transport/channel.h"
#include "transport/channel_context.h"

// Weights over ZeroMQ: a PUB socket announces (version, hash, size), again every `announce_every`
// so that a lost announcement heals; subscribers keep only the newest announcement (CONFLATE) and
// pull the payload over DEALER -> ROUTER. Newest means: higher incarnation of the publisher, then
// higher version. Announcements of an older epoch than the subscriber's are ignored.
namespace londi::transport {

struct WeightsPublisherOptions {
  std::chrono::milliseconds announce_every{1000};
};

class ZmqWeightsPublisher : public WeightsPublisher {
 public:
  virtual const std::string& announce_endpoint() const = 0;  // kWeightsAnnounceEndpoint
  virtual const std::string& pull_endpoint() const = 0;      // kWeightsPullEndpoint
};
std::unique_ptr<ZmqWeightsPublisher> MakeZmqWeightsPublisher(
    const ChannelContext& context, const WeightsPublisherOptions& options = {});

struct WeightsSubscriberOptions {
  std::chrono::milliseconds pull_again_after{1000};  // A pull without an answer is repeated.
};

class ZmqWeightsSubscriber : public WeightsSubscriber {
 public:
  // Where the publisher is; pulls at once. A restarted learner has other endpoints. Does not block.
  virtual void SetEndpoints(const std::string& announce, const std::string& pull) = 0;
};
std::unique_ptr<ZmqWeightsSubscriber> MakeZmqWeightsSubscriber(
    const ChannelContext& context, const WeightsSubscriberOptions& options = {});

}  // namespace londi::transport
