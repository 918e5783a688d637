#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/channel.h"
#include "transport/channel_context.h"
#include "transport/lm_dispatcher.h"

namespace londi::transport {

// The LanguageModel of one tier, answered by that tier's workers (lm_dispatcher.h says which one
// gets a request). A DEALER socket per worker (socket_turns.h); Propose blocks the calling thread
// only.
class ZmqLmClient : public LmClient {
 public:
  // The workers there are now (endpoints of the registry's members), each at most once. Workers
  // that are not listed any more are dropped and their open requests go elsewhere. Does not block;
  // no workers is allowed: requests wait for some.
  virtual void SetWorkers(const std::vector<std::string>& endpoints) = 0;
};

std::unique_ptr<ZmqLmClient> MakeZmqLmClient(const ChannelContext& context,
                                             core::Tier tier,
                                             const LmDispatcherOptions& options = {});

}  // namespace londi::transport
