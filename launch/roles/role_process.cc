#include "launch/roles/role_process.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

namespace londi::launch {
namespace {

constexpr std::chrono::seconds kJoinTimeout{60};

monitor::Logger MakeRoleLogger(const RunFolder& folder,
                               const configs::RunConfig& config,
                               const std::string& role) {
  return monitor::MakeLogger({.role = role,
                              .level = config.run.log_level,
                              .file = folder.logs() / (role + ".log"),
                              .console_level = "error"});
}

std::optional<transport::RunKeys> KeysOf(const RunFolder& folder,
                                         const configs::RunConfig& config) {
  if (config.transport.security == transport::Security::kNone) return std::nullopt;
  return transport::ReadRunKeys(folder.keys());
}

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace

RoleBasics::RoleBasics(const std::filesystem::path& run_folder, std::string role)
    : folder(OpenRunFolder(run_folder)),
      config(configs::LoadRunConfig(folder.config(), {})),
      name(std::move(role)),
      logger(MakeRoleLogger(folder, config, name)),
      events(folder.events(), name),
      metrics_writer(folder.metrics(), name, metrics, config.run.metrics_every),
      sockets(KeysOf(folder, config), metrics, logger) {}

RoleProcess::RoleProcess(const std::filesystem::path& run_folder,
                         transport::Registration registration,
                         std::vector<transport::Role> watched)
    : basics_(run_folder, registration.name) {
  registration.host = HostName();
  registration.pid = getpid();
  const auto rendezvous = basics_.folder.rendezvous();
  registry_ = transport::JoinRegistry(
      {.sockets = basics_.sockets,
       .metrics = basics_.metrics,
       .logger = basics_.logger,
       .locate = [rendezvous] { return transport::ReadRendezvous(rendezvous); }},
      std::move(registration),
      {.renew_every = basics_.config.run.heartbeat,
       .watched = std::move(watched),
       .on_change = [this] { basics_.signals.WakeUp(); }},
      std::chrono::steady_clock::now() + kJoinTimeout);
  basics_.logger->info("joined run={} epoch={} incarnation={}",
                       registry_->session()->run().value,
                       registry_->session()->epoch().value,
                       registry_->session()->incarnation().value);
}

bool RoleProcess::ShouldStop() const {
  return basics_.signals.num_stop_requests() > 0 ||
         registry_->command() != transport::Command::kNone;
}

void RoleProcess::WaitForHeartbeat() {
  basics_.signals.WaitUntil(std::chrono::steady_clock::now() + basics_.config.run.heartbeat);
}

void RoleProcess::DoWithHeartbeat(const std::function<void()>& work,
                                  const std::function<void()>& beat) {
  std::atomic<bool> finished = false;
  std::thread heart([&] {
    while (!finished) {
      beat();
      WaitForHeartbeat();
    }
  });
  const auto end = [&] {
    finished = true;
    basics_.signals.WakeUp();
    heart.join();
  };
  try {
    work();
  } catch (...) {
    end();
    throw;
  }
  end();
}

std::string EndpointOf(const std::vector<transport::Member>& members, const char* kind) {
  for (const transport::Member& member : members) {
    const auto found = member.registration.endpoints.find(kind);
    if (found != member.registration.endpoints.end()) return found->second;
  }
  return "";
}

}  // namespace londi::launch
