#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/channel_context.h"
#include "transport/registry_state.h"

namespace londi::transport {

// The coordinator's end of the registry: RegistryState behind a ROUTER socket, with one thread of
// its own that also expires leases. Thread-safe.
class RegistryServer {
 public:
  virtual ~RegistryServer() = default;

  virtual const std::string& endpoint() const = 0;
  // These two throw what ended the registry's thread: nobody can join or leave any more.
  virtual std::vector<MemberStatus> Members() const = 0;
  virtual std::vector<RegistryEvent> TakeEvents() = 0;
  // Delivered with each member's next renewal.
  virtual void SetCommand(Command command, std::optional<Role> role = std::nullopt) = 0;
};

// The epoch is the session's.
std::unique_ptr<RegistryServer> MakeRegistryServer(const ChannelContext& context,
                                                   const RegistryOptions& options = {});

}  // namespace londi::transport
