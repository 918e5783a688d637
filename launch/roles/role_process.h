#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "configs/run_config.h"
#include "launch/metrics_writer.h"
#include "launch/run_folder.h"
#include "launch/signals.h"
#include "monitor/event_log.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/channel_context.h"
#include "transport/registry_client.h"
#include "transport/sockets.h"

namespace londi::launch {

// What every process of a run begins with: its configuration, log, metrics, events, signals.
struct RoleBasics {
  // Throws core::ConfigError, and core::IoError where the folder is none or has no usable keys.
  RoleBasics(const std::filesystem::path& run_folder, std::string role);

  const RunFolder folder;
  const configs::RunConfig config;
  const std::string name;  // E.g. "actor.3".
  Signals signals;
  monitor::Metrics metrics;
  monitor::Logger logger;
  monitor::EventLog events;
  MetricsWriter metrics_writer;
  transport::Sockets sockets;
};

// A role's membership in the run: joins the registry, then knows its identity and its peers.
class RoleProcess {
 public:
  // Blocks until the coordinator has answered, at most a minute. `registration.name` names the
  // role's log. Throws core::UnavailableError, core::ConfigError.
  RoleProcess(const std::filesystem::path& run_folder,
              transport::Registration registration,
              std::vector<transport::Role> watched);

  RoleBasics& basics() { return basics_; }
  const configs::RunConfig& config() const { return basics_.config; }
  transport::RegistryClient& registry() { return *registry_; }
  transport::ChannelContext channels() {
    return {.sockets = basics_.sockets,
            .session = registry_->session(),
            .metrics = basics_.metrics,
            .logger = basics_.logger,
            .host = basics_.config.run.interface};
  }

  // SIGTERM, or the coordinator said so.
  bool ShouldStop() const;
  // Waits for a signal, news of the members or the coordinator's wish, or the interval of
  // heartbeats.
  void WaitForHeartbeat();
  // Does `work` while another thread calls `beat` at once and after each WaitForHeartbeat. That has
  // ended when this returns, or throws what `work` threw.
  void DoWithHeartbeat(const std::function<void()>& work, const std::function<void()>& beat);

 private:
  RoleBasics basics_;
  std::unique_ptr<transport::RegistryClient> registry_;
};

// The endpoint `kind` of the only member of its role; "" when it is not there (yet).
std::string EndpointOf(const std::vector<transport::Member>& members, const char* kind);

}  // namespace londi::launch
