#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/registry_types.h"
#include "transport/rendezvous.h"
#include "transport/session.h"
#include "transport/sockets.h"

namespace londi::transport {

struct RegistryClientOptions {
  std::chrono::milliseconds renew_every{1000};
  int lost_after = 3;         // Unanswered renewals until the coordinator is looked for again.
  std::vector<Role> watched;  // Roles whose members this process must know.
  // Called by the client's thread when Members or command may have changed; empty: nobody asks.
  std::function<void()> on_change{};
};

// A process's membership in the run: gives it its identity, renews its lease, learns of the others
// and of what the coordinator wants. When the coordinator restarts, registers again under the new
// epoch and raises the session's. Thread-safe; one thread of its own.
//
//   auto registry = JoinRegistry(...);                  // Identity: session(), actor().
//   ... build the channels from registry->session() ...
//   registry->Announce({{kLmEndpoint, server->endpoint()}});
//   while (registry->command() == Command::kNone) { ... work ...; registry->Report({{"batches",
//   n}}); } registry->Leave();
class RegistryClient {
 public:
  virtual ~RegistryClient() = default;

  virtual const SharedSession& session() const = 0;
  virtual core::ActorId actor() const = 0;  // Of actors; 0 otherwise.

  // Publishes what others connect to. Does not block.
  virtual void Announce(const std::map<std::string, std::string>& endpoints) = 0;

  // Call it from the work loop, as often as you like: the lease is renewed only while work reports,
  // so that a stuck process loses it although its threads for I/O are alive.
  virtual void Report(const ProgressCounters& progress) = 0;

  // kStop also when a newer process took this one's name.
  virtual Command command() const = 0;

  // The last known members of a watched role, and a number that changes whenever any of them did.
  virtual std::vector<Member> Members(Role role) const = 0;
  virtual std::int64_t members_version() const = 0;

  // Blocks until `ready` holds for the members of `role` (reporting meanwhile). False: `deadline`
  // passed, or the command is no longer kNone.
  [[nodiscard]] virtual bool WaitForMembers(
      Role role,
      core::TimePoint deadline,
      const std::function<bool(const std::vector<Member>&)>& ready) = 0;

  // Sends the last report and gives the seat back at once; nothing is renewed afterwards. Blocks
  // for at most the linger time.
  virtual void Leave() = 0;
};

struct RegistryClientContext {
  Sockets& sockets;
  monitor::Metrics& metrics;
  monitor::Logger logger;
  // Where the coordinator is now; asked again when it falls silent. Usually reads rendezvous.json.
  std::function<std::optional<Rendezvous>()> locate;
};

// Blocks until the coordinator has answered. Throws core::UnavailableError when it did not before
// `deadline`, core::ConfigError when it refuses the registration. Sets `registration.nonce`.
std::unique_ptr<RegistryClient> JoinRegistry(const RegistryClientContext& context,
                                             Registration registration,
                                             const RegistryClientOptions& options,
                                             core::TimePoint deadline);

}  // namespace londi::transport
